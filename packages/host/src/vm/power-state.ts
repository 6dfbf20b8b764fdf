// The life of a VM: which request is legal in which power state. Pure.
//
//              powerOn                      suspend
//  poweredOff ─────────▶ poweredOn ◀──────────────────▶ suspended
//      ▲  ▲               │  │  ▲       powerOn             │
//      │  └── powerOff ───┘  │  └── reset                   │
//      │                     │                              │
//      └── guest shut down, VMM died                        │
//      └────────────────────────────── powerOff ────────────┘
//
// Source: vSphere Web Services API, VirtualMachine: the InvalidPowerState clauses of each method.
import { MethodFault } from '@vivarium/vim';

export type PowerState = 'poweredOff' | 'poweredOn' | 'suspended';

export type VmRequest =
  | 'powerOn'
  | 'powerOff'
  | 'reset'
  | 'suspend'
  | 'shutdownGuest'
  | 'rebootGuest'
  | 'destroy'
  | 'unregister'
  | 'console'
  | 'answer'
  | 'reload'
  | 'reconfigure'
  | 'upgrade';

const allowed: Readonly<Record<VmRequest, readonly PowerState[]>> = {
  powerOn: ['poweredOff', 'suspended'],
  powerOff: ['poweredOn', 'suspended'],
  reset: ['poweredOn'],
  suspend: ['poweredOn'],
  shutdownGuest: ['poweredOn'],
  rebootGuest: ['poweredOn'],
  destroy: ['poweredOff', 'suspended'],
  unregister: ['poweredOff', 'suspended'],
  console: ['poweredOn'],
  // Without a question an answer is an InvalidArgument, whatever the state.
  answer: ['poweredOff', 'poweredOn', 'suspended'],
  reload: ['poweredOff', 'suspended'],
  reconfigure: ['poweredOff', 'poweredOn', 'suspended'],
  upgrade: ['poweredOff'],
};

/** Throws `InvalidPowerState` when `request` is not legal in `state`. */
export function checkPowerState(request: VmRequest, state: PowerState): void {
  const states = allowed[request];
  if (states.includes(state)) return;
  throw new MethodFault('InvalidPowerState', {
    requestedState: requestedState(request, states),
    existingState: state,
  });
}

function requestedState(request: VmRequest, states: readonly PowerState[]): PowerState {
  if (request === 'powerOn') return 'poweredOn';
  if (request === 'powerOff') return 'poweredOff';
  if (request === 'suspend') return 'suspended';
  return states[0] ?? 'poweredOff';
}
