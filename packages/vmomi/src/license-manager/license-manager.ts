// The managed objects LicenseManager and LicenseAssignmentManager. Everything is licensed, free, and stays so: keys are
// neither sold nor checked, so the methods that would change licences are not supported.
import { type LicenseManagerLicenseInfo, MethodFault, type MoRef, make } from '@vivarium/vim';
import type { Service } from '../service.ts';

/** Shaped like a licence key, and none. */
const KEY = '00000-00000-00000-00000-00000';

export function addLicenseManager(
  service: Service,
  ref: MoRef<'LicenseManager'>,
  assignmentRef: MoRef<'LicenseAssignmentManager'>,
): void {
  const { name, version } = productOf(service);
  const license = make('LicenseManagerLicenseInfo', {
    licenseKey: KEY,
    editionKey: 'vivarium',
    name: `${name} (all features, free)`,
    total: 0, // no limit
    used: 0,
    costUnit: 'cpuPackage',
    properties: [
      make('KeyAnyValue', { key: 'ProductName', value: name }),
      make('KeyAnyValue', { key: 'ProductVersion', value: version }),
    ],
  }) as LicenseManagerLicenseInfo;
  const source = make('EvaluationLicenseSource', { remainingHours: -1 });

  service.graph.add<'LicenseManager'>(
    ref,
    {
      source,
      sourceAvailable: true,
      featureInfo: [],
      licensedEdition: 'vivarium',
      licenses: [license],
      licenseAssignmentManager: assignmentRef,
      evaluation: make('LicenseManagerEvaluationInfo', { properties: [] }),
    },
    {
      QuerySupportedFeatures: () => [],
      QueryLicenseSourceAvailability: () => [],
      QueryLicenseUsage: () => make('LicenseUsageInfo', { source, sourceAvailable: true }),
      CheckLicenseFeature: () => true,
      DecodeLicense({ licenseKey }) {
        if (licenseKey !== KEY) throw new MethodFault('InvalidArgument', { invalidProperty: 'licenseKey' });
        return license;
      },
    },
  );
  service.graph.add<'LicenseAssignmentManager'>(
    assignmentRef,
    {},
    {
      QueryAssignedLicenses: ({ entityId }) => [
        make('LicenseAssignmentManagerLicenseAssignment', {
          entityId: entityId ?? service.rootFolder.value,
          assignedLicense: license,
        }),
      ],
    },
  );
}

function productOf({ content }: Service): { name: string; version: string } {
  const { about } = content;
  return { name: about.licenseProductName ?? about.name, version: about.licenseProductVersion ?? about.version };
}
