const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const binaryPowers: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d{1,3})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?$/

/**
 * A quantity as the API server writes it: the shortest form with the largest suffix that keeps it whole
 * (`0.1` becomes `100m`, `1024Mi` becomes `1Gi`). What is no quantity, or is too fine for one, stays as
 * it is, so that the server is the one to refuse it.
 */
export function canonicalQuantity(value: string | number): string {
  const text = String(value)
  const match = pattern.exec(text)
  const digits = `${match?.[2] ?? ''}${match?.[3] ?? ''}`
  if (match === null || digits === '') return text
  const number = BigInt(digits) * (match[1] === '-' ? -1n : 1n)
  const scale = -(match[3]?.length ?? 0)
  if (match[6]?.endsWith('i')) return binaryForm(number, scale, match[6]) ?? text
  const exponent = match[4] === undefined ? decimalExponents[match[6] ?? '']! : Number(match[5])
  return decimalForm(number, scale + exponent, match[4] !== undefined) ?? text
}

function binaryForm(number: bigint, scale: number, suffix: string): string | undefined {
  const bytes = number * 1024n ** BigInt(binaryPowers.indexOf(suffix))
  const unit = 10n ** BigInt(-scale)
  // Below one kilobyte, or not whole, the server keeps the amount in decimal form.
  if (bytes % unit !== 0n) return decimalForm(bytes, scale, false)
  let whole = bytes / unit
  if (abs(whole) < 1024n) return decimalForm(whole, 0, false)
  let power = 0
  while (power < 6 && whole % 1024n === 0n) {
    whole /= 1024n
    power++
  }
  return `${whole}${binaryPowers[power]}`
}

function decimalForm(number: bigint, exponent: number, scientific: boolean): string | undefined {
  if (number === 0n) return '0'
  let mantissa = number
  let power = exponent
  while (mantissa % 10n === 0n) {
    mantissa /= 10n
    power++
  }
  while (power % 3 !== 0) {
    mantissa *= 10n
    power--
  }
  if (power < -9 || power > 18) return undefined
  const suffix = Object.keys(decimalExponents).find((key) => decimalExponents[key] === power)!
  return scientific && power !== 0 ? `${mantissa}e${power}` : `${mantissa}${suffix}`
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}
