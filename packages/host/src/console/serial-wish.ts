// Which serial ports of a VM lead to the network, and how. Pure.
// Source: vSphere API, VirtualDeviceURIBackingInfo; "Using Serial Ports with vSphere Virtual Machines" (VMware) for the URIs.
import { isA, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { deviceId } from '@vivarium/vmx';

export interface SerialWish {
  /** The port's id in the machine model: `serial-9000`. */
  readonly device: string;
  /** `server`: others connect to us; `client`: we connect to `host`. */
  readonly direction: 'server' | 'client';
  readonly protocol: 'telnet' | 'tcp';
  /** Empty = where the host listens. */
  readonly host: string;
  readonly port: number;
}

/** Ports below this are the machine's own, telnet's excepted: as ESXi's firewall has it for serial ports. */
const FIRST_PORT = 1024;
const TELNET_PORT = 23;

/** The connected ports with a service URI that can be served; others (a vSPC proxy, TLS) stay as if unplugged. */
export function serialWishes(config: VirtualMachineConfigInfo): SerialWish[] {
  return (config.hardware.device ?? []).flatMap((device) => {
    const { backing } = device;
    if (!isA('VirtualSerialPort', device) || device.connectable?.connected !== true) return [];
    if (!isA('VirtualSerialPortURIBackingInfo', backing) || backing.proxyURI) return [];
    const service = parseServiceUri(backing.serviceURI);
    const direction = backing.direction === 'client' ? 'client' : 'server';
    if (!service || !(direction === 'client' ? service.host !== '' : isOurs(service.port))) return [];
    return [{ device: deviceId(device), direction, ...service }];
  });
}

function isOurs(port: number): boolean {
  return port >= FIRST_PORT || port === TELNET_PORT;
}

/** `telnet://:33233`, `tcp://10.0.0.1:7000`; undefined for what is no such address. */
export function parseServiceUri(uri: string): Pick<SerialWish, 'protocol' | 'host' | 'port'> | undefined {
  const match = /^(telnet|tcp):\/\/(\[[0-9a-f:.]+\]|[^:/?#@\s[\]]*):(\d{1,5})\/?$/i.exec(uri.trim());
  if (!match) return undefined;
  const [, scheme = '', host = '', digits = ''] = match;
  const port = Number(digits);
  if (port === 0 || port > 65_535) return undefined;
  return { protocol: scheme.toLowerCase() === 'tcp' ? 'tcp' : 'telnet', host: host.replace(/^\[|\]$/g, ''), port };
}
