const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1_000 },
] as const

/** A duration as people say it, in its two largest units: `2 h 5 min`, `40 s`, `0 s`. */
export function durationText(durationMs: number): string {
  const largest = units.findIndex(({ ms }) => durationMs >= ms)
  if (largest === -1) return durationMs <= 0 ? '0 s' : `${Math.round(durationMs)} ms`
  const [first, second] = units.slice(largest)
  const whole = first === undefined ? 0 : Math.floor(durationMs / first.ms)
  const rest = first === undefined || second === undefined ? 0 : Math.floor((durationMs - whole * first.ms) / second.ms)
  return rest === 0 ? `${whole} ${first?.name}` : `${whole} ${first?.name} ${rest} ${second?.name}`
}
