// Public API of @trunkline/admin/dashboard: a page that shows the state of nodes.

export {
  type Dashboard,
  type DashboardOptions,
  serveDashboard,
} from './dashboard/serve-dashboard.ts';
