// Hand-written SOAP for tests.

export const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

export function envelope(body: string, header = ''): string {
  return `<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" ${XSI} xmlns:xsd="http://www.w3.org/2001/XMLSchema">${header}<e:Body>${body}</e:Body></e:Envelope>`;
}

/** `<METHOD><_this type=TYPE>ID</_this>PARAMS</METHOD>` in an envelope. */
export function request(method: string, type: string, params = ''): string {
  return envelope(`<${method} xmlns="urn:vim25"><_this type="${type}">x-1</_this>${params}</${method}>`);
}
