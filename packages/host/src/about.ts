// Who we say we are: the product names and versions that clients compare.
import { type AboutInfo, make } from '@vivarium/vim';

/** The newest version of the API that is spoken. */
export const API_VERSION = '9.0.0.0';

// Clients switch on these: libvirt on productLineId and apiVersion, govc and others on apiType. The vendor and the names are
// VMware's own for an ESXi, without which tools refuse to work; `licenseProductName` tells people what this really is.
export function aboutHost(version: string): AboutInfo {
  return make('AboutInfo', {
    name: 'VMware ESXi',
    fullName: 'VMware ESXi 9.0.0 build-24755229',
    vendor: 'VMware, Inc.',
    version: '9.0.0',
    build: '24755229',
    localeVersion: 'INTL',
    localeBuild: '000',
    osType: 'vmnix-x86',
    productLineId: 'embeddedEsx',
    apiType: 'HostAgent',
    apiVersion: API_VERSION,
    licenseProductName: 'Vivarium',
    licenseProductVersion: version,
  });
}
