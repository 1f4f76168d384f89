// The default theme, with colors whose contrast meets WCAG AA.

import DefaultTheme from 'vitepress/theme-without-fonts';
import './style.css';

export default DefaultTheme;
