import { InvalidArgumentError } from 'commander'

/** A commander parser for whole numbers in bounds; its error says the value and what is allowed. */
export function wholeNumber (min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`Allowed are whole numbers from ${min} to ${max}.`)
    return value
  }
}
