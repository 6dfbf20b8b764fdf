// What tells clients about the API: versions, WSDL, product. Open without a login.
import { encodeJson, schema, serviceVersionsXml, wsdl } from '@vivarium/vim';
import type { FastifyInstance } from 'fastify';
import type { Service } from '../service.ts';

const XML = 'text/xml; charset=utf-8';

export function addDescriptionRoutes(app: FastifyInstance, service: Service): void {
  const versions = serviceVersionsXml();
  app.get('/sdk/vimServiceVersions.xml', (_request, reply) => reply.type(XML).send(versions));
  app.get<{ Params: { file: string }; Querystring: Record<string, string> }>('/sdk/:file', (request, reply) => {
    // 3 MB and seldom asked for: made when needed, not kept.
    const { file } = request.params;
    const text = wsdl().get(file === 'vimService' && 'wsdl' in request.query ? 'vimService.wsdl' : file);
    return text === undefined ? reply.code(404).send() : reply.type(XML).send(text);
  });
  app.get('/about', (_request, reply) => {
    const about = encodeJson('AboutInfo', service.content.about, schema.versions[0] ?? schema.legacyVersion);
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(about));
  });
}
