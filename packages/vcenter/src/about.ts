// Who vpxd says it is: the product names and versions that clients compare.
import { type AboutInfo, make } from '@vivarium/vim';

/**
 * `version` is Vivarium's own. Terraform's provider compares `name` with exactly this text before it uses tags, and govc and
 * libvirt switch on `apiType` and `productLineId`; `licenseProductName` tells people what this really is.
 */
export function aboutCenter(version: string, instanceUuid: string): AboutInfo {
  return make('AboutInfo', {
    name: 'VMware vCenter Server',
    fullName: 'VMware vCenter Server 9.0.0 build-24755230',
    vendor: 'VMware, Inc.',
    version: '9.0.0',
    build: '24755230',
    localeVersion: 'INTL',
    localeBuild: '000',
    osType: 'linux-x64',
    productLineId: 'vpx',
    apiType: 'VirtualCenter',
    apiVersion: '9.0.0.0',
    instanceUuid,
    licenseProductName: 'Vivarium',
    licenseProductVersion: version,
  });
}
