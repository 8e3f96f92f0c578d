/** What the page behind a join link loads. */

import './elements/video-visit.js';
import './page.js';
