// The managed objects LicenseManager and LicenseAssignmentManager. Source: vSphere Web Services API.
import { type KeyValue, type LicenseManagerLicenseInfo, MethodFault, type MoRef, make } from '@vivarium/vim';
import type { Service } from '../service.ts';
import { EVALUATION, type Labels, LicenseInventory } from './license-inventory.ts';
import { findAsset, licensedAssets } from './licensed-assets.ts';

/** For those who assign licences as a part of something else. */
export interface Licensing {
  /** Fault: InvalidArgument, when it has not the form of a key. */
  check(licenseKey: string): void;
  /** As UpdateAssignedLicense: a key that is not there yet is added. Faults: LicenseEntityNotFound, InvalidArgument, LimitExceeded. */
  assign(entity: string, licenseKey: string): Promise<LicenseManagerLicenseInfo>;
}

export function addLicenseManager(
  service: Service,
  ref: MoRef<'LicenseManager'>,
  assignmentRef: MoRef<'LicenseAssignmentManager'>,
): Licensing {
  const { graph } = service;
  const inventory = new LicenseInventory(
    service.store,
    productOf(service),
    (id) => findAsset(service, id) !== undefined,
  );
  const source = make('EvaluationLicenseSource', { remainingHours: -1 });
  const isHost = service.instance === 'HostAgent';

  const keyOf = (entityId: string) => inventory.assignments.get(entityId) ?? EVALUATION;
  const licenses = () => {
    const [own = EVALUATION] = inventory.assignments.values();
    return (isHost ? [own] : inventory.keys).map((key) => inventory.info(key));
  };
  const show = () => manager.set('licenses', licenses());
  const shown = (key: string): LicenseManagerLicenseInfo => {
    show();
    return inventory.info(key);
  };
  /** A host has one licence: another takes the place of the one that it has. */
  const assignToHost = async (key: string) => {
    for (const { ref: host } of graph.ofType('HostSystem')) {
      const former = keyOf(host.value);
      await inventory.assign(host.value, key);
      if (former !== key && former !== EVALUATION) await inventory.remove(former);
    }
  };
  const add = async (key: string, labels: readonly KeyValue[] | undefined) => {
    await inventory.add(key, labelsOf(labels));
    if (isHost) await assignToHost(key);
    return shown(key);
  };

  const assign = async (entity: string, licenseKey: string) => {
    if (!findAsset(service, entity)) throw new MethodFault('LicenseEntityNotFound', { entityId: entity });
    await inventory.add(licenseKey, {});
    await inventory.assign(entity, licenseKey);
    return shown(licenseKey);
  };

  const manager = graph.add<'LicenseManager'>(
    ref,
    {
      source,
      sourceAvailable: true,
      featureInfo: [],
      licensedEdition: 'vivarium',
      licenses: licenses(),
      licenseAssignmentManager: assignmentRef,
      evaluation: make('LicenseManagerEvaluationInfo', { properties: [] }),
    },
    {
      QuerySupportedFeatures: () => [],
      QueryLicenseSourceAvailability: () => [],
      QueryLicenseUsage: () => make('LicenseUsageInfo', { source, sourceAvailable: true }),
      CheckLicenseFeature: () => true,
      DecodeLicense: ({ licenseKey }) => inventory.info(licenseKey),
      AddLicense: ({ licenseKey, labels }) => add(licenseKey, labels),
      UpdateLicense({ licenseKey, labels }) {
        if (!isHost) inventory.require(licenseKey);
        return add(licenseKey, labels);
      },
      async RemoveLicense({ licenseKey }) {
        if (isHost && licenseKey !== EVALUATION && licenses()[0]?.licenseKey === licenseKey)
          await assignToHost(EVALUATION);
        else await inventory.remove(licenseKey);
        show();
      },
      async UpdateLicenseLabel({ licenseKey, labelKey, labelValue }) {
        await inventory.label(licenseKey, labelKey, labelValue);
        show();
      },
      async RemoveLicenseLabel({ licenseKey, labelKey }) {
        await inventory.label(licenseKey, labelKey, '');
        show();
      },
    },
  );

  graph.add<'LicenseAssignmentManager'>(
    assignmentRef,
    {},
    {
      UpdateAssignedLicense: ({ entity, licenseKey }) => assign(entity, licenseKey),
      async RemoveAssignedLicense({ entityId }) {
        if (!findAsset(service, entityId)) throw new MethodFault('LicenseEntityNotFound', { entityId });
        await inventory.assign(entityId, EVALUATION);
        show();
      },
      QueryAssignedLicenses({ entityId }, { session }) {
        const { instanceUuid: scope } = service.content.about;
        const assets =
          entityId === undefined
            ? licensedAssets(service, (id) => inventory.assignments.has(id))
            : [findAsset(service, entityId)].flatMap((asset) => asset ?? []);
        return assets
          .filter(({ ref: entity = service.rootFolder }) =>
            service.authorization.privilegesOf(session, entity).has('System.Read'),
          )
          .map(({ id, name }) =>
            make('LicenseAssignmentManagerLicenseAssignment', {
              entityId: id,
              entityDisplayName: name,
              ...(scope === undefined ? {} : { scope }),
              assignedLicense: inventory.info(keyOf(id)),
            }),
          );
      },
    },
  );
  return { check: (licenseKey) => void inventory.info(licenseKey), assign };
}

function labelsOf(labels: readonly KeyValue[] = []): Labels {
  return Object.fromEntries(labels.map(({ key, value }) => [key, value]));
}

function productOf({ content }: Service): { name: string; version: string } {
  const { about } = content;
  return { name: about.licenseProductName ?? about.name, version: about.licenseProductVersion ?? about.version };
}
