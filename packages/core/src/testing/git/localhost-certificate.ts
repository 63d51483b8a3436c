/** A certificate for `localhost` that vouches for itself, for tests. Its key is public: it protects nothing. */
export const localhostCertificate: { readonly cert: string; readonly key: string } = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUdQgxdM44ls2QwXg9U0uL6EAcPN8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA2MzA0M1oYDzIxMjYxMDI4
MDYzMDQzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQEkcUu84NN+LHLmuo0T2KgzlsJhx3eCiE7tIJRKReOQcw80OWQ4iax
4f2TZ9w/osZDPV8wN8+uFwF7qRKA5CZ0o2kwZzAdBgNVHQ4EFgQU1j7J6eAbdFfN
DsJ/rdHOYsOaSL4wHwYDVR0jBBgwFoAU1j7J6eAbdFfNDsJ/rdHOYsOaSL4wDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAMR0cQyiji6GbDJlJyLV352Eg6zm8LSg3QiB5FantqzWAiEAkBp1FO7j
bqiBmM4mU7hcFAMGwQQt61MtToB37I2hgwQ=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOjafT7ONQCY/dbG3
G8VyjYTEWKel2IrMktXgoGtBqcKhRANCAAQEkcUu84NN+LHLmuo0T2KgzlsJhx3e
CiE7tIJRKReOQcw80OWQ4iax4f2TZ9w/osZDPV8wN8+uFwF7qRKA5CZ0
-----END PRIVATE KEY-----
`,
}
