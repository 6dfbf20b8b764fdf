// The managed object ExtensionManager: which programs have registered with this vCenter, kept in the store. What an extension
// brings (task types, events, privileges) is kept for its clients; nothing here acts on it.
// Source: vSphere Web Services API, ExtensionManager.
import { X509Certificate } from 'node:crypto';
import { Mutex } from '@vivarium/base';
import { type Extension, MethodFault, type MoRef } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { Service } from '../service.ts';

const EXTENSIONS = 'extension/';
/** vCenter names no limit; everything has one here. */
const MOST_EXTENSIONS = 1000;

export function addExtensionManager(service: Service, ref: MoRef<'ExtensionManager'>): void {
  const { graph, store } = service;
  const extensions = new Map(store.range<Extension>(EXTENSIONS).map(({ value }) => [value.key, value]));
  const mutex = new Mutex();
  const exclusively = (work: () => Promise<void>) => mutex.run(work);

  const list = () => [...extensions.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const known = (key: string): Extension => {
    const extension = extensions.get(key);
    if (!extension) throw new MethodFault('NotFound');
    return extension;
  };
  const keep = async (extension: Extension): Promise<void> => {
    await store.batch([{ put: EXTENSIONS + extension.key, value: extension }]);
    extensions.set(extension.key, extension);
    manager.set('extensionList', list());
  };

  const manager = graph.add<'ExtensionManager'>(
    ref,
    { extensionList: list() },
    {
      FindExtension: ({ extensionKey }) => extensions.get(extensionKey),
      RegisterExtension: ({ extension }) =>
        exclusively(async () => {
          if (extension.key.trim() === '' || extensions.has(extension.key)) throw invalid('extension.key');
          if (extensions.size >= MOST_EXTENSIONS)
            throw new MethodFault('LimitExceeded', { property: 'extensionList', limit: MOST_EXTENSIONS });
          await keep(extension);
        }),
      UpdateExtension: ({ extension }) =>
        exclusively(async () => {
          const { subjectName } = known(extension.key);
          // The certificate is set by a method of its own.
          await keep({ ...extension, ...(subjectName === undefined ? {} : { subjectName }) });
        }),
      UnregisterExtension: ({ extensionKey }) =>
        exclusively(async () => {
          known(extensionKey);
          await store.batch([{ delete: EXTENSIONS + extensionKey }]);
          extensions.delete(extensionKey);
          manager.set('extensionList', list());
        }),
      SetExtensionCertificate: ({ extensionKey, certificatePem }, call) =>
        exclusively(async () => {
          const extension = known(extensionKey);
          await keep({ ...extension, subjectName: subjectOf(certificatePem, call) });
        }),
    },
  );
}

/** Of the certificate that is given, or else of the one that the client has shown. Faults: InvalidArgument, NoClientCertificate. */
function subjectOf(pem: string | undefined, call: Call): string {
  if (pem !== undefined) return oneLine(parsed(pem));
  const [own] = call.clientCertificates?.() ?? [];
  if (!own) throw new MethodFault('NoClientCertificate');
  return oneLine(own);
}

function parsed(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid('certificatePem');
  }
}

/** `OU=x,O=y`: the way that directories write it, the most particular part first. */
function oneLine({ subject }: X509Certificate): string {
  return subject.split('\n').toReversed().join(',');
}

function invalid(invalidProperty: string): MethodFault {
  return new MethodFault('InvalidArgument', { invalidProperty }) as MethodFault;
}
