// A folder as a page for people. Pure; every name goes through `escape`.

export interface ListingEntry {
  readonly name: string;
  readonly href: string;
  /** Absent for folders. */
  readonly sizeBytes?: number;
  readonly modified?: Date;
}

export interface Listing {
  readonly title: string;
  /** Link to the level above. */
  readonly above?: string;
  readonly entries: readonly ListingEntry[];
}

const STYLE =
  'body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#222}h1{font-size:1.25rem;font-weight:600}' +
  'table{border-collapse:collapse}th,td{text-align:left;padding:.2rem 1.5rem .2rem 0}th{font-weight:500;color:#666}' +
  'td.n{text-align:right;font-variant-numeric:tabular-nums}a{color:#0057a8;text-decoration:none}a:hover{text-decoration:underline}';

export function listingPage({ title, above, entries }: Listing): string {
  const rows = entries.map(
    ({ name, href, sizeBytes, modified }) =>
      `<tr><td><a href="${escape(href)}">${escape(name)}</a></td>` +
      `<td class="n">${sizeBytes === undefined ? '' : sizeBytes}</td>` +
      `<td>${modified ? modified.toISOString().slice(0, 19).replace('T', ' ') : ''}</td></tr>`,
  );
  const up = above === undefined ? '' : `<p><a href="${escape(above)}">Up</a></p>`;
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><style>${STYLE}</style></head>` +
    `<body><h1>${escape(title)}</h1>${up}` +
    `<table><thead><tr><th>Name</th><th>Size (bytes)</th><th>Modified (UTC)</th></tr></thead>` +
    `<tbody>${rows.join('')}</tbody></table></body></html>\n`
  );
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
