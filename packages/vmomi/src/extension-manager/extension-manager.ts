// The managed object ExtensionManager. What an extension brings (task types, events, privileges) is kept for its clients; nothing here
// acts on it.
// Source: vSphere Web Services API, ExtensionManager.
import { X509Certificate } from 'node:crypto';
import { Mutex } from '@vivarium/base';
import { type ManagedByInfo, MethodFault, type MoRef } from '@vivarium/vim';
import { PRIVILEGES } from '../authorization/privileges.ts';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { Service } from '../service.ts';
import type { Extensions } from './extensions.ts';

export function addExtensionManager(service: Service, ref: MoRef<'ExtensionManager'>, extensions: Extensions): void {
  const mutex = new Mutex();
  const change = (work: () => Promise<void>) =>
    mutex.run(async () => {
      await work();
      manager.set('extensionList', extensions.list());
    });

  const manager = service.graph.add<'ExtensionManager'>(
    ref,
    { extensionList: extensions.list() },
    {
      FindExtension: ({ extensionKey }) => extensions.find(extensionKey),
      RegisterExtension: ({ extension }) => change(() => extensions.register(extension)),
      UpdateExtension: ({ extension }) => change(() => extensions.update(extension)),
      UnregisterExtension: ({ extensionKey }) =>
        change(async () => {
          await extensions.unregister(extensionKey);
          endSessions(service, extensionKey);
        }),
      QueryManagedBy: ({ extensionKey }, { session }) =>
        managedEntities(service).flatMap(([object, managedBy]) =>
          managedBy.extensionKey === extensionKey && service.authorization.holds(session, object, 'System.Read')
            ? [object.ref as MoRef<'ManagedEntity'>]
            : [],
        ),
      SetExtensionCertificate: ({ extensionKey, certificatePem }, call) =>
        change(() => {
          requireEverything(service, call);
          return extensions.setCertificate(extensionKey, certificateOf(certificatePem, call));
        }),
    },
  );
}

/** VMs and vApps that an extension says it manages. */
function managedEntities({ graph }: Service): (readonly [ManagedObject, ManagedByInfo])[] {
  return [
    ...Array.from(graph.ofType('VirtualMachine'), (vm) => [vm, vm.getPath('config.managedBy')] as const),
    ...Array.from(graph.ofType('VirtualApp'), (app) => [app, app.getPath('vAppConfig.managedBy')] as const),
  ].flatMap(([object, managedBy]) => (managedBy ? [[object as ManagedObject, managedBy as ManagedByInfo]] : []));
}

/** Of the certificate that is given, or else of the one that the client has shown. Faults: InvalidArgument, NoClientCertificate. */
function certificateOf(pem: string | undefined, call: Call): X509Certificate {
  if (pem === undefined) {
    const [own] = call.clientCertificates?.() ?? [];
    if (!own) throw new MethodFault('NoClientCertificate');
    return own;
  }
  try {
    return new X509Certificate(pem);
  } catch {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'certificatePem' });
  }
}

/** Who logs in by the certificate may do everything: nobody comes to more than he has by setting one. Fault: NoPermission. */
function requireEverything({ authorization, rootFolder }: Service, { session }: Call): void {
  const held = authorization.privilegesOf(session, rootFolder);
  for (const privilegeId of PRIVILEGES) {
    if (!held.has(privilegeId)) throw new MethodFault('NoPermission', { object: rootFolder, privilegeId });
  }
}

function endSessions({ sessions }: Service, extensionKey: string): void {
  for (const session of sessions.list()) {
    if (session.isExtension && session.userName === extensionKey) sessions.terminate(session);
  }
}
