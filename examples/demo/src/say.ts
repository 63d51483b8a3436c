import { styleText } from 'node:util'

/** Whether the reader sees colours. */
export const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined

/** A heading of the story. */
export function chapter(title: string): void {
  console.log(`\n${colour ? styleText('bold', title) : title}`)
}

/** Text of the story, set in a little. */
export function say(text: string): void {
  console.log(text.trimEnd().replaceAll(/^(?=.)/gm, '  '))
}

/** The first seven digits, as people write a commit. */
export function short(id: string): string {
  return id.slice(0, 7)
}
