/** A JSON value. Declarations, field values and everything that is stored or sent is one of these. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json
}
