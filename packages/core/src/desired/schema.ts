import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { GitOpsError } from '../runtime/errors.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import type { Document } from './decode.ts'
import { originText } from './build.ts'
import { isObject } from './pointer.ts'

/** How a schema is used. */
export interface SchemaOptions {
  /** What the schema describes, for errors: `a feature flag`. @defaultValue 'the declaration' */
  readonly name?: string
  /**
   * Permits `pattern` and `patternProperties`. Only for schemas you wrote yourself: a pattern can take
   * exponential time. @defaultValue false
   */
  readonly patterns?: boolean
  /** Problems that are told; the rest is counted. @defaultValue 20 */
  readonly maxProblems?: number
}

/** Checks a body. Throws `DECLARATION_INVALID` with the place and JSON Pointer of every problem. */
export type SchemaCheck = (document: Pick<Document, 'body'> & Partial<Document>) => void

/** A schema may have as many characters as JSON. */
const MAX_SCHEMA_LENGTH = 1_000_000

/**
 * Compiles a JSON Schema (draft 07) into a check of declared bodies.
 *
 * Nothing is fetched: a `$ref` that leaves the schema is an error. Only own members count. `format`
 * is not checked, unknown keywords are errors. Throws `CONFIG_INVALID` when the schema is not usable.
 */
export function schemaCheck(schema: JsonObject, options: SchemaOptions = {}): SchemaCheck {
  const { name = 'the declaration', patterns = false, maxProblems = 20 } = options
  const validate = compile(schema, name, patterns)
  return (document) => {
    const problems = problemsOf(validate, document.body, name)
    if (problems.length > 0) throw failure(document, problems, name, maxProblems)
  }
}

function compile(schema: JsonObject, name: string, patterns: boolean): ValidateFunction {
  if (JSON.stringify(schema).length > MAX_SCHEMA_LENGTH) throw unusable(name, 'it is larger than a megabyte')
  const pattern = patterns ? undefined : pointerToPattern(schema, '')
  if (pattern !== undefined) throw unusable(name, `it has a pattern at ${pattern}, and patterns are not permitted`)
  try {
    const settings = {
      allErrors: true,
      ownProperties: true,
      strictTypes: false,
      strictRequired: false,
      validateFormats: false,
    }
    return new Ajv({ ...settings, addUsedSchema: false, logger: false }).compile(schema)
  } catch (cause) {
    throw unusable(name, cause instanceof Error ? cause.message : 'it cannot be compiled', cause)
  }
}

/** Where a schema uses a regular expression. Data in `const`, `enum`, `default` and `examples` is no schema. */
function pointerToPattern(schema: Json, at: string): string | undefined {
  if (Array.isArray(schema))
    return first(
      schema.map((item, index) => [String(index), item]),
      at,
    )
  if (!isObject(schema)) return undefined
  if (typeof schema['pattern'] === 'string') return `${at}/pattern`
  if (isObject(schema['patternProperties'])) return `${at}/patternProperties`
  return first(
    Object.entries(schema).filter(([key]) => !['const', 'enum', 'default', 'examples'].includes(key)),
    at,
  )
}

function first(members: readonly (readonly [string, Json])[], at: string): string | undefined {
  for (const [key, member] of members) {
    const found = pointerToPattern(member, `${at}/${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

function problemsOf(validate: ValidateFunction, body: JsonObject, name: string): readonly ErrorObject[] {
  try {
    return validate(body) ? [] : (validate.errors ?? [])
  } catch (cause) {
    throw unusable(name, 'it refers to itself without end', cause)
  }
}

function failure(
  { origin, locate }: Partial<Document>,
  problems: readonly ErrorObject[],
  name: string,
  maxProblems: number,
): GitOpsError {
  const shown = problems.slice(0, maxProblems).map((problem) => {
    const place = locate === undefined ? undefined : locate(problem.instancePath)
    const at = place === undefined ? originText(origin) : `${place.path}:${place.line}:${place.column}`
    return `${at}: ${problem.instancePath === '' ? 'the document' : problem.instancePath} ${messageOf(problem)}`
  })
  const more = problems.length > maxProblems ? [`and ${problems.length - maxProblems} more`] : []
  const message = `This is not ${name === 'the declaration' ? 'what the schema asks for' : name}:\n  ${[...shown, ...more].join('\n  ')}`
  const details = {
    problems: problems.slice(0, maxProblems).map(({ instancePath, keyword }) => ({ path: instancePath, keyword })),
    count: problems.length,
  }
  return new GitOpsError('DECLARATION_INVALID', message, { details })
}

/** The problem in words of the schema; never in words of the body, which may be secret. */
function messageOf({ keyword, message = 'is not allowed', params }: ErrorObject): string {
  if (keyword === 'additionalProperties')
    return `must not have the member ${JSON.stringify(params['additionalProperty'])}`
  if (keyword === 'enum') return `must be one of ${JSON.stringify(params['allowedValues']).slice(0, 200)}`
  return message
}

function unusable(name: string, why: string, cause?: unknown): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', `The schema of ${name} cannot be used: ${why}.`, { cause })
}
