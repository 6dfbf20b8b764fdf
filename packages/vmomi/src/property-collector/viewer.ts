// One client's eyes: which objects and properties it may see, and what it sees there. Never changes anything.
import { MethodFault, type MoRef, schema } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { PathPlan } from './path-plan.ts';
import { readSteps } from './path-plan.ts';

/** A property that could not be read, and why: becomes a MissingProperty. */
export class Missing {
  readonly fault: MethodFault;

  constructor(fault: MethodFault) {
    this.fault = fault;
  }
}

export interface Viewer {
  /** The object with this reference if it exists for this client: other sessions' filters and views do not. */
  find(ref: MoRef): ManagedObject | undefined;
  /** Whether the client may see the object at all (System.View). */
  sees(object: ManagedObject): boolean;
  /** The value at a path, undefined when unset, or why it cannot be read. */
  read(object: ManagedObject, path: PathPlan): unknown;
  /** The values at several paths, in their order. */
  readAll(object: ManagedObject, paths: readonly PathPlan[]): unknown[];
}

/** What somebody may do on an object. */
type RightsOn = (object: ManagedObject) => { has(privilege: string): boolean };

/** A view that lasts as long as the session: rights are asked for every time. */
export function viewerOf(call: Call, session = call.session): Viewer {
  const { service, version, remoteAddress } = call;
  // Must not hold on to the request that it was made in, as the call's other members do.
  const lasting: Call = { session, service, version, remoteAddress, signal: session.ended };
  return makeViewer(lasting, (object) => service.authorization.privilegesOn(session, object));
}

/** A view of this moment, for reading many objects. */
export function momentaryViewerOf(call: Call): Viewer {
  return makeViewer(call, call.service.authorization.momentary(call.session));
}

function makeViewer(call: Call, rightsOn: RightsOn): Viewer {
  const { session, service } = call;

  const value = (object: ManagedObject, path: PathPlan): unknown => {
    if (!object.isComputed(path.property)) {
      const whole = object.get(path.property as never);
      return path.steps.length === 0 ? whole : readSteps(whole, path.steps);
    }
    try {
      return readSteps(object.read(path.property, call), path.steps);
    } catch (error) {
      return new Missing(asFault(call, object, path, error));
    }
  };

  return {
    find(ref) {
      const object = service.graph.find(ref);
      return object?.session === undefined || object.session === session ? object : undefined;
    },
    sees: (object) => rightsOn(object).has('System.View'),
    read: (object, path) =>
      rightsOn(object).has(path.privilege) ? value(object, path) : new Missing(refusal(call, object, path.privilege)),
    readAll(object, paths) {
      const held = rightsOn(object);
      const values: unknown[] = [];
      for (const path of paths) {
        values.push(
          held.has(path.privilege) ? value(object, path) : new Missing(refusal(call, object, path.privilege)),
        );
      }
      return values;
    },
  };
}

/** The rank of the client's version: what it knows. */
export function rankOf(call: Call): number {
  return schema.rank(call.version) ?? Number.POSITIVE_INFINITY;
}

/** Why a property may not be read: NotAuthenticated before login, NoPermission after. */
export function refusal(call: Call, object: ManagedObject, privilegeId: string): MethodFault {
  const entity = call.service.authorization.entityOf(object);
  return new MethodFault(call.session.isAnonymous ? 'NotAuthenticated' : 'NoPermission', {
    object: entity,
    privilegeId,
  });
}

function asFault(call: Call, object: ManagedObject, path: PathPlan, error: unknown): MethodFault {
  if (error instanceof MethodFault) return error;
  call.service.log.error({ object: object.ref, property: path.property, error }, 'computing a property failed');
  return new MethodFault('SystemError', { reason: '' });
}
