// Data objects that bring their own XML: the PropertyCollector's answers, whose values were encoded before.

/** Returns the whole element `<tag>…</tag>` for a client of this version rank. Other encodings ignore it. */
export const encodedForm: unique symbol = Symbol('encodedForm');

export interface HasEncodedForm {
  readonly [encodedForm]: (tag: string, rank: number) => string;
}
