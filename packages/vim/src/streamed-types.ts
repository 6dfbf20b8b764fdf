// Types of results that hold lists of any length: written item by item, in every encoding.

const STREAMED: ReadonlySet<string> = new Set(['RetrieveResult', 'UpdateSet', 'PropertyFilterUpdate']);

export function isStreamed(type: string): boolean {
  return STREAMED.has(type);
}
