import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { smallCenter } from '../testing/small-center.ts';
import { automationOperations } from './automation.ts';
import { openApiPath } from './openapi.ts';

interface Served {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
}

void test('/openapi.json is a valid OpenAPI document, open to everybody', async (context) => {
  const { send } = await smallCenter(context);
  const { status, body } = await send('GET', '/openapi.json', undefined, {});
  assert.equal(status, 200);
  const result = await new Validator().validate(body as Record<string, unknown>);
  assert.deepEqual(result.errors ?? [], []);
  assert.ok(result.valid);
});

void test('every route is in the document, once, and nothing else', async (context) => {
  const { send, service, tagging, domain, app } = await smallCenter(context);
  const { paths } = (await send('GET', '/openapi.json')).body as Served;
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const operations = automationOperations({ service, tagging, domain });
  const served = operations.flatMap(({ doors }) =>
    (['rest', 'api'] as const).flatMap((form) => {
      const door = doors[form];
      return door ? [`${door.method} ${openApiPath(door, form)}`] : [];
    }),
  );
  assert.deepEqual([...described].sort(), [...served].sort());
  assert.ok(described.length > 100, `${described.length} routes`);
  for (const one of described) {
    const [method = '', path = ''] = one.split(' ');
    const url = path.replaceAll(/\{[^}]+\}/g, 'x');
    const answer = await app.inject({ method: method as 'GET', url });
    assert.equal(answer.statusCode, 401, `${one} exists and wants a session`);
  }
  const head = await app.inject({ method: 'HEAD', url: '/api/vcenter/vm' });
  assert.equal(head.statusCode, 404, 'HEAD is not in it');
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  assert.equal(new Set(ids).size, ids.length, 'operation ids are unique');
});
