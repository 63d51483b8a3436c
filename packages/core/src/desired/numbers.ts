/**
 * The number that decimal text stands for, or `undefined` when a double cannot hold it: an integer
 * beyond 2^53, more digits than are kept, or too large. `-0` is 0.
 */
export function exactNumber(text: string): number | undefined {
  const value = Number(text)
  if (!Number.isFinite(value)) return undefined
  if (value === 0) return /[1-9]/.test(mantissaOf(text)) ? undefined : 0
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return undefined
  const again = String(value)
  return again === text || decimalOf(text) === decimalOf(again) ? value : undefined
}

function mantissaOf(text: string): string {
  return text.split(/e/i)[0] ?? ''
}

/** Decimal text in one form: its digits without zeros at either end, and the power of ten of the last one. */
function decimalOf(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().replace(/^\+/, '').split('e')
  const negative = mantissa.startsWith('-')
  const [whole = '', fraction = ''] = mantissa.replace(/^[-+]/, '').split('.')
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  const power = Number(exponent) - fraction.length + (digits.length - significant.length)
  return `${negative ? '-' : ''}${significant}e${power}`
}
