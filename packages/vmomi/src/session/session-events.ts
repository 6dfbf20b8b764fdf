// Sessions as events: who came, who went, who was refused.
import { make } from '@vivarium/vim';
import type { EventLog } from '../event/event-log.ts';
import type { SessionListener } from './session-registry.ts';

export function sessionEvents(events: EventLog): SessionListener {
  return {
    loggedIn({ userName, ipAddress, userAgent, locale, key: sessionId }) {
      events.post({ _typeName: 'UserLoginSessionEvent', userName, ipAddress, userAgent, locale, sessionId });
    },
    loggedOut({ userName, ipAddress, userAgent, callCount, key: sessionId, loginTimeMs }) {
      const loginTime = new Date(loginTimeMs).toISOString();
      events.post({
        _typeName: 'UserLogoutSessionEvent',
        userName,
        ipAddress,
        userAgent,
        callCount,
        sessionId,
        loginTime,
      });
    },
    loginFailed(userName, { ipAddress }, isLocked) {
      events.post({ _typeName: 'BadUsernameSessionEvent', userName, ipAddress });
      if (!isLocked) return;
      const eventTypeId = 'esx.audit.account.locked';
      const account = make('KeyAnyValue', { key: '1', value: userName });
      events.post({
        _typeName: 'EventEx',
        eventTypeId,
        severity: 'warning',
        objectName: userName,
        arguments: [account],
      });
    },
  };
}
