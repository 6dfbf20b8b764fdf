// The one way to refuse in the Automation API: a thrown VapiError. Its types and their HTTP status are vAPI's. Pure.

const STATUS = {
  already_exists: 400,
  already_in_desired_state: 400,
  canceled: 400,
  concurrent_change: 409,
  error: 500,
  feature_in_use: 400,
  internal_server_error: 500,
  invalid_argument: 400,
  invalid_request: 400,
  not_allowed_in_current_state: 400,
  not_found: 404,
  operation_not_found: 404,
  resource_busy: 500,
  resource_in_use: 400,
  resource_inaccessible: 400,
  service_unavailable: 503,
  timed_out: 504,
  unable_to_allocate_resource: 400,
  unauthenticated: 401,
  unauthorized: 403,
  unexpected_input: 400,
  unsupported: 400,
} as const;

export type VapiErrorType = keyof typeof STATUS;

export const VAPI_ERROR_TYPES = Object.keys(STATUS) as VapiErrorType[];

export function statusOf(type: VapiErrorType): number {
  return STATUS[type];
}

/** com.vmware.vapi.std.localizable_message */
export interface Message {
  readonly id: string;
  readonly default_message: string;
  readonly args: readonly string[];
}

export function message(messageId: string, text: string, ...args: readonly string[]): Message {
  return { id: messageId, default_message: text, args };
}

export class VapiError extends Error {
  readonly type: VapiErrorType;
  readonly messages: readonly Message[];

  constructor(type: VapiErrorType, ...messages: readonly [Message, ...Message[]]) {
    super(messages[0].default_message);
    this.name = type;
    this.type = type;
    this.messages = messages;
  }

  get status(): number {
    return statusOf(this.type);
  }
}

/** How clients are told to log in. SAML tokens (SIGN) are not built. */
export const CHALLENGE = 'Basic realm="VAPI endpoint"';

export function unauthenticated(): VapiError {
  return new VapiError(
    'unauthenticated',
    message('com.vmware.vapi.endpoint.method.authentication.required', 'Authentication required.'),
  );
}

/** Which of the two forms a URL asks for; undefined: it is not the Automation API's. */
export function formOf(url: string): 'rest' | 'api' | undefined {
  return /^\/(rest|api)(?:[/?]|$)/.exec(url)?.[1] as 'rest' | 'api' | undefined;
}

/** The body of an error: with its type around it below /rest, bare below /api. */
export function errorBody(error: VapiError, form: 'rest' | 'api'): object {
  const challenge = error.type === 'unauthenticated' ? { challenge: CHALLENGE } : {};
  const value = { error_type: error.type.toUpperCase(), messages: error.messages, ...challenge };
  return form === 'api' ? value : { type: `com.vmware.vapi.std.errors.${error.type}`, value };
}
