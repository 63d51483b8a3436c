import type { Output, RunCall } from './call.ts'
import { GitOpsError } from './errors.ts'

/**
 * Names an output of another application. It holds no value: it can be printed, kept and compared, and shows names
 * alone. Made by `outputOf`.
 */
export class OutputReference {
  /** The name of the application that publishes it. */
  readonly application: string
  /** Its name there. */
  readonly output: string

  constructor(application: string, output: string) {
    this.application = application
    this.output = output
  }
}

/**
 * The output `output` of `application`, to be given to a target as a variable. The value keeps its type, is read when
 * the declarations are, and stays secret where it is published as sensitive. The application that uses it names
 * `application` in its `dependsOn`.
 */
export function outputOf(application: string, output: string): OutputReference {
  return new OutputReference(application, output)
}

/** What is published under a reference. Throws `INPUT_MISSING`, naming what there is, when nothing is. */
export function resolveOutput({ application, output }: OutputReference, call: RunCall): Output {
  const published = Object.hasOwn(call.inputs, application) ? call.inputs[application] : undefined
  const found = published !== undefined && Object.hasOwn(published, output) ? published[output] : undefined
  if (found !== undefined) return found
  const names = Object.keys(published ?? {})
  const known = names.length === 0 ? 'It has published none' : `It has published ${names.join(', ')}`
  const message = `${call.application} needs the output ${output} of ${application}. ${known}. Name ${application} in \`dependsOn\`, and check the name of the output.`
  throw new GitOpsError('INPUT_MISSING', message, { details: { application, output } })
}
