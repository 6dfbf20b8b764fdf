// One operation of the Automation API as data: what it takes, what it gives, and under which paths it is served.
import type { Call } from '@vivarium/vmomi';
import type { Fields, Shape, Struct, TypeOf } from './shape.ts';
import type { VapiErrorType } from './vapi-error.ts';

/** How an operation is reached below /rest or /api. */
export interface Door {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** '/vcenter/vm/{vm}': names in braces are parameters of the operation. */
  readonly path: string;
  /** Value of the query parameter `~action` (/rest) or `action` (/api). */
  readonly action?: string;
  /** The parameter that is the whole body; default: an object with all parameters that are not in path or query. */
  readonly body?: string;
}

/** Who calls, and what only a session's own operations need of the request. */
export interface Caller {
  readonly call: Call;
  readonly credentials: { readonly userName: string; readonly password: string } | undefined;
}

/** What the server keeps of an operation: its types are checked where it is made. */
export interface Operation {
  /** 'com.vmware.cis.tagging.category' */
  readonly service: string;
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  readonly params: Fields;
  /** Undefined: nothing is answered. */
  readonly result: Shape | undefined;
  readonly errors: readonly VapiErrorType[];
  readonly doors: { readonly rest?: Door; readonly api?: Door };
  /** Makes a resource: /api answers 201. */
  readonly creates: boolean;
  /** Open without a session. */
  readonly isOpen: boolean;
  run(args: Readonly<Record<string, unknown>>, caller: Caller): unknown;
}

interface Definition<P extends Fields, R extends Shape | undefined> {
  readonly service: string;
  readonly name: string;
  readonly summary: string;
  readonly params?: P;
  readonly result?: R;
  /** Besides `unauthenticated`, which every operation may answer. */
  readonly errors?: readonly VapiErrorType[];
  readonly doors: { readonly rest?: Door; readonly api?: Door };
  readonly creates?: boolean;
  readonly isOpen?: boolean;
  run(args: Struct<P>, caller: Caller): Answer<R> | Promise<Answer<R>>;
}

type Answer<R> = R extends Shape ? TypeOf<R> : void;

export function operation<P extends Fields = Record<never, never>, R extends Shape | undefined = undefined>(
  definition: Definition<P, R>,
): Operation {
  const { service, name, summary, params, result, errors = [], doors, creates = false, isOpen = false } = definition;
  return {
    service,
    name,
    summary,
    params: params ?? {},
    result,
    errors: [...errors, 'unauthenticated'],
    doors,
    creates,
    isOpen,
    // The arguments were read by `params`: they are what the definition says.
    run: (args, caller) => definition.run(args as Struct<P>, caller),
  };
}

/** The names in braces of a path. */
export function pathParams(path: string): string[] {
  return Array.from(path.matchAll(/\{([\w-]+)\}/g), ([, name = '']) => name);
}
