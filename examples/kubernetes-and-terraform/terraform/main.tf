# A database, as far as this example needs one: `terraform_data` is built in and needs no provider.
variable "size" {
  type    = number
  default = 2
}

resource "terraform_data" "database" {
  input = "db-1.internal"
}

output "host" {
  value = terraform_data.database.output
}

output "replicas" {
  value = var.size
}

output "password" {
  value     = "correct-horse-battery"
  sensitive = true
}
