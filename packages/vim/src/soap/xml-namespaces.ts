// Which prefix means which namespace, element by element (Namespaces in XML 1.0).

export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';

interface Binding {
  readonly prefix: string;
  readonly uri: string;
  /** Depth of the element that declares it. */
  readonly depth: number;
}

export class XmlNamespaces {
  readonly #bindings: Binding[] = [];

  /** `xmlns:prefix="uri"`, or `xmlns="uri"` with an empty prefix. Returns what is wrong with it. */
  declare(prefix: string, uri: string, depth: number): string | undefined {
    if (prefix === 'xmlns') return 'the prefix xmlns cannot be bound';
    if ((prefix === 'xml') !== (uri === XML_NAMESPACE)) return 'the prefix xml and its namespace belong together';
    if (uri === XMLNS_NAMESPACE) return 'the namespace of xmlns cannot be bound';
    if (uri === '' && prefix !== '') return `the prefix ${prefix} cannot be unbound`;
    this.#bindings.push({ prefix, uri, depth });
    return undefined;
  }

  /** Undefined for a prefix that nothing binds; '' for no namespace. */
  resolve(prefix: string): string | undefined {
    for (let index = this.#bindings.length - 1; index >= 0; index--) {
      const binding = this.#bindings[index];
      if (binding?.prefix === prefix) return binding.uri;
    }
    if (prefix === '') return '';
    return prefix === 'xml' ? XML_NAMESPACE : undefined;
  }

  /** The element at this depth is closed. */
  leave(depth: number): void {
    while (this.#bindings.length > 0 && (this.#bindings.at(-1)?.depth ?? 0) >= depth) this.#bindings.pop();
  }
}
