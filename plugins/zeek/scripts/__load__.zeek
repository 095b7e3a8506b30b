# SPDX-License-Identifier: MIT
@load ./conn-log
@load ./notices
