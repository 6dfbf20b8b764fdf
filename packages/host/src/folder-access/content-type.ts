/** Media types by extension; what is not text is not shown by browsers but saved. Pure. */
export function contentType(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return (Object.hasOwn(types, extension) ? types[extension] : undefined) ?? 'application/octet-stream';
}

const types: Readonly<Record<string, string>> = {
  iso: 'application/x-iso9660-image',
  json: 'application/json',
  log: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  vmsd: 'text/plain; charset=utf-8',
  vmx: 'text/plain; charset=utf-8',
  vmxf: 'text/plain; charset=utf-8',
  xml: 'text/xml; charset=utf-8',
};
