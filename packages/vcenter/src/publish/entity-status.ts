// What every entity shows that nothing is known to be wrong with. Pure.
export const GOOD = {
  overallStatus: 'green',
  configStatus: 'green',
  configIssue: [],
  declaredAlarmState: [],
  triggeredAlarmState: [],
  alarmActionsEnabled: true,
  recentTask: [],
  tag: [],
} as const;
