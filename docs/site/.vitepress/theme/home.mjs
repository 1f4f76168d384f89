// The home page of the default theme inside a main landmark, so that screen readers can jump to it.

import VPHome from 'vitepress/dist/client/theme-default/components/VPHome.vue';
import { h } from 'vue';

export default { render: () => h('main', h(VPHome)) };
