import type { Field, Shape } from './wire.ts'

// The part of the provider protocol, version 6, that a provider of plain resources needs.

const text = (number: number): Field => ({ number, type: 'string' })
const bytes = (number: number): Field => ({ number, type: 'bytes' })
const flag = (number: number): Field => ({ number, type: 'bool' })
const integer = (number: number): Field => ({ number, type: 'integer' })
const one = (number: number, of: Shape): Field => ({ number, type: 'message', of: () => of })
const many = (number: number, of: Shape): Field => ({ number, type: 'message', list: true, of: () => of })
const byName = (number: number, of: Shape): Field => ({ number, type: 'message', map: true, of: () => of })

const value: Shape = { msgpack: bytes(1), json: bytes(2) }
const diagnostics = (number: number): Field => many(number, { severity: integer(1), summary: text(2), detail: text(3) })
const attributePath: Shape = { steps: many(1, { attributeName: text(1), elementKeyString: text(2) }) }
const attribute: Shape = {
  name: text(1),
  type: bytes(2),
  required: flag(4),
  optional: flag(5),
  computed: flag(6),
  sensitive: flag(7),
  writeOnly: flag(11),
}
const schema: Shape = { version: integer(1), block: one(2, { version: integer(1), attributes: many(2, attribute) }) }

/** Request and answer of one method. */
export interface Method {
  readonly request: Shape
  readonly answer: Shape
}

/** A method that is served. */
export type MethodName =
  | 'GetProviderSchema'
  | 'ValidateProviderConfig'
  | 'ConfigureProvider'
  | 'ValidateResourceConfig'
  | 'UpgradeResourceState'
  | 'ReadResource'
  | 'PlanResourceChange'
  | 'ApplyResourceChange'
  | 'ImportResourceState'
  | 'StopProvider'

/** The methods that are served, by name. */
export const methods: Readonly<Record<MethodName, Method>> = {
  GetProviderSchema: {
    request: {},
    answer: {
      provider: one(1, schema),
      resourceSchemas: byName(2, schema),
      dataSourceSchemas: byName(3, schema),
      diagnostics: diagnostics(4),
    },
  },
  ValidateProviderConfig: { request: { config: one(1, value) }, answer: { diagnostics: diagnostics(2) } },
  ConfigureProvider: {
    request: { version: text(1), config: one(2, value) },
    answer: { diagnostics: diagnostics(1) },
  },
  ValidateResourceConfig: {
    request: { typeName: text(1), config: one(2, value) },
    answer: { diagnostics: diagnostics(1) },
  },
  UpgradeResourceState: {
    request: { typeName: text(1), version: integer(2), rawState: one(3, { json: bytes(1) }) },
    answer: { upgradedState: one(1, value), diagnostics: diagnostics(2) },
  },
  ReadResource: {
    request: { typeName: text(1), currentState: one(2, value), private: bytes(3) },
    answer: { newState: one(1, value), diagnostics: diagnostics(2), private: bytes(3) },
  },
  PlanResourceChange: {
    request: {
      typeName: text(1),
      priorState: one(2, value),
      proposedNewState: one(3, value),
      config: one(4, value),
      priorPrivate: bytes(5),
    },
    answer: {
      plannedState: one(1, value),
      requiresReplace: many(2, attributePath),
      plannedPrivate: bytes(3),
      diagnostics: diagnostics(4),
    },
  },
  ApplyResourceChange: {
    request: {
      typeName: text(1),
      priorState: one(2, value),
      plannedState: one(3, value),
      config: one(4, value),
      plannedPrivate: bytes(5),
    },
    answer: { newState: one(1, value), private: bytes(2), diagnostics: diagnostics(3) },
  },
  ImportResourceState: {
    request: { typeName: text(1), id: text(2) },
    answer: {
      importedResources: many(1, { typeName: text(1), state: one(2, value), private: bytes(3) }),
      diagnostics: diagnostics(2),
    },
  },
  StopProvider: { request: {}, answer: { error: text(1) } },
}
