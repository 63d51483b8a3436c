/** Others may go on changing what is read; who loses this often in a row is told. */
const MAX_ATTEMPTS = 6

/** Runs `work`, and again each time that `mend` put right what it failed of. Throws the error that `mend` cannot help with. */
export async function mending<T>(work: () => Promise<T>, mend: (error: unknown) => Promise<boolean>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(await mend(error))) throw error
    }
  }
}
