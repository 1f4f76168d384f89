// The default theme, with colors whose contrast meets WCAG AA, and with a main landmark on the home
// page and the 404 page, too. home.mjs replaces the home page (see config.mjs).

import NotFound from 'vitepress/dist/client/theme-default/NotFound.vue';
import DefaultTheme from 'vitepress/theme-without-fonts';
import { h } from 'vue';
import './style.css';

export default {
  extends: DefaultTheme,
  Layout: () => h(DefaultTheme.Layout, null, { 'not-found': () => h('main', h(NotFound)) }),
};
