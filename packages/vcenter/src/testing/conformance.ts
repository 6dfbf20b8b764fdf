// For tests: whether an answer is what the OpenAPI document promises for the request.
import assert from 'node:assert/strict';
import { Ajv, type ValidateFunction } from 'ajv';

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}

interface DescribedOperation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
}

interface Promise {
  readonly path: string;
  readonly method: string;
  readonly pattern: RegExp;
  readonly action: string;
  readonly operation: DescribedOperation;
}

/** What the server answers to anything, before it knows the operation. */
const OF_THE_SERVER: ReadonlySet<number> = new Set([413, 415]);

export class Conformance {
  readonly #promises: readonly Promise[];
  readonly #ajv = new Ajv({ strict: false, validateFormats: false });
  readonly #validators = new Map<string, ValidateFunction>();
  /** Operation ids that were asked and answered as promised, with the status. */
  readonly seen = new Set<string>();

  constructor(document: Document) {
    this.#ajv.addSchema(document, 'document');
    this.#promises = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const [template = '', query = ''] = path.split('?');
        const source = template.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^}]+\}/g, '[^/]+');
        const action = new URLSearchParams(query.replace('~', '')).get('action') ?? '';
        return { path, method, pattern: new RegExp(`^${source}$`), action, operation };
      }),
    );
  }

  /** Throws when the answer breaks the promise; paths that are not in the document have to be 404. */
  check(method: string, url: string, status: number, body: unknown): void {
    const [path = '', query = ''] = url.split('?');
    const parameters = new URLSearchParams(query);
    const action = parameters.get('~action') ?? parameters.get('action') ?? '';
    const promise = this.#promises.find(
      (one) => one.method === method.toLowerCase() && one.action === action && one.pattern.test(path),
    );
    if (!promise) {
      assert.equal(status, 404, `${method} ${url} is served but not described`);
      return;
    }
    if (OF_THE_SERVER.has(status)) return;
    const response = promise.operation.responses[String(status)];
    assert.ok(response, `${method} ${url} answered ${status}, which is not described: ${JSON.stringify(body)}`);
    if (!response.content) assert.equal(body, undefined, `${method} ${url} answered a body`);
    else this.#validate(promise, status, body, `${method} ${url}`);
    this.seen.add(`${promise.operation.operationId} ${status}`);
  }

  #validate({ path, method }: Promise, status: number, body: unknown, request: string): void {
    const steps = ['paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema'];
    const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: `document#/${pointer}` });
    this.#validators.set(pointer, validate);
    assert.ok(validate(body), `${request}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  }
}
