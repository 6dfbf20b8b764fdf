// THE way of every call: session -> object -> method -> privilege -> arguments -> call -> result.
import { isFault, MethodFault, type MethodInfo, type MoRef, schema } from '@vivarium/vim';
import { refusal } from './authorization/authorization.ts';
import { methodPrivilege, requirements } from './authorization/method-privileges.ts';
import type { Call } from './call.ts';
import { knownReference, withKnownReferences } from './graph/known-references.ts';
import type { ManagedObject } from './graph/managed-object.ts';
import { fetchProperty } from './property-collector/fetch-property.ts';
import type { Service } from './service.ts';

export interface Invocation {
  readonly this: MoRef;
  /** Exact wsdl name: 'PowerOnVM_Task'. */
  readonly method: string;
  /** Well-typed: the transport has decoded them against the schema. */
  readonly args: Record<string, unknown>;
}

/** Resolves with the method's result; rejects with a MethodFault, or with something that nobody should see. */
export async function invoke(service: Service, sent: Invocation, call: Call): Promise<unknown> {
  const method = methodOf(sent);
  requireLogin(sent, method, call);
  const request = {
    this: knownReference(service.graph, sent.this),
    args: withKnownReferences(service.graph, sent.args),
  };
  const object = objectOf(service, request.this, call);
  for (const needed of requirements(service.graph, object, method, request.args)) {
    service.authorization.check(call.session, needed.object, needed.privilege);
  }
  service.methodBlocks.check(object.ref, method.name);
  if (method.name === 'Fetch') return fetchProperty(object, String(request.args['prop']), call);
  const handler = object.method(method.name);
  if (!handler) throw new MethodFault('NotSupported');
  try {
    return await handler(request.args, call);
  } catch (error) {
    // The session ended while the call waited for something of it (WaitForUpdatesEx).
    const isCutOff = call.session.ended.aborted && isFault(error, 'RequestCanceled');
    throw isCutOff ? refusal(service.sessions.anonymous, request.this, methodPrivilege(method)) : error;
  }
}

function methodOf(request: Invocation): MethodInfo {
  const method = schema.method(request.this.type, request.method);
  if (!method) throw new MethodFault('MethodNotFound', { receiver: request.this, method: request.method });
  return method;
}

/** Before the object is looked up: without a login nobody learns which objects there are. */
function requireLogin({ this: receiver }: Invocation, method: MethodInfo, { session }: Call): void {
  const privilege = methodPrivilege(method);
  if (session.isAnonymous && privilege !== 'System.Anonymous') throw refusal(session, receiver, privilege);
}

/** Another session's filters, views and collectors do not exist for this one. */
function objectOf(service: Service, ref: MoRef, { session }: Call): ManagedObject {
  const object = service.graph.find(ref);
  if (object && (object.session === undefined || object.session === session)) return object;
  throw new MethodFault('ManagedObjectNotFound', { obj: { type: ref.type, value: ref.value } });
}
