// Public API of @trunkline/dashboard: a page that shows the state of nodes.

export { type Dashboard, type DashboardOptions, serveDashboard } from './serve-dashboard.ts';
