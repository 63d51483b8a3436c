import { digestOf } from '../desired/digest.ts'
import type { Inputs, Output, Outputs } from '../runtime/call.ts'
import type { Json } from '../runtime/json.ts'
import { textsIn } from '../runtime/variable.ts'

/** Outputs as others receive them: nothing that prints or stores one shows the value of a sensitive one. */
export function published(outputs: Outputs): Outputs {
  return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, concealed(output)]))
}

function concealed({ value, sensitive = false }: Output): Output {
  if (!sensitive) return { value, sensitive }
  // A member that is not listed is left out by `JSON.stringify` and by whatever prints an object.
  return Object.defineProperty({ sensitive } as Output, 'value', { value, enumerable: false })
}

/** Identifies inputs by their values, sensitive ones included: it stays in memory. */
export function inputsDigest(inputs: Inputs): string {
  const values = Object.entries(inputs).map(([application, outputs]) => [application, valuesOf(outputs)])
  return values.length === 0 ? '' : digestOf(JSON.parse(JSON.stringify(values)) as Json)
}

function valuesOf(outputs: Outputs): unknown {
  return Object.entries(outputs).map(([name, { value, sensitive }]) => [name, value, sensitive])
}

/** What must not be seen of inputs. */
export function secretsIn(inputs: Inputs): readonly string[] {
  const outputs = Object.values(inputs).flatMap((each) => Object.values(each))
  return outputs.flatMap(({ value, sensitive }) => (sensitive === true ? textsIn(value as Json) : []))
}
