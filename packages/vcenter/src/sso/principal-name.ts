// How users and groups of a domain are named. Pure.
//   name@domain, DOMAIN\name, name    what people may write at a login; case does not matter
//   DOMAIN\name                       what permissions, sessions and events show, as vCenter does

/** What vmdir takes and no path, URL or message treats specially. */
const NAME = /^[A-Za-z0-9_][\w.$-]{0,63}$/;

export function isPrincipalName(name: string): boolean {
  return NAME.test(name);
}

/** The name without its domain; undefined when the text names another domain. */
export function bareName(text: string, domain: string): string | undefined {
  const [, first, second] = /^([^\\@]*)[\\@](.*)$/s.exec(text) ?? [];
  if (first === undefined || second === undefined) return text;
  const [name, named] = text.includes('\\') ? [second, first] : [first, second];
  return named.toLowerCase() === domain.toLowerCase() ? name : undefined;
}

export function qualifiedName(name: string, domain: string): string {
  return `${domain.toUpperCase()}\\${name}`;
}
