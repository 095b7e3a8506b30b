/* SPDX-License-Identifier: MIT */
/* collectd_layout.c - compiles only if plugins/collectd/collectd_abi.h says what collectd's own
 * headers say. Not part of any program. */
#include <collectd/core/daemon/collectd.h>

#include <collectd/core/daemon/plugin.h>

#define EDDY_COLLECTD_LAYOUT_ONLY
#include "../../plugins/collectd/collectd_abi.h"

#define SIZE(ours, theirs) static_assert(sizeof(ours) == sizeof(theirs), #theirs)
#define PLACE(ours, a, theirs, b)                                                                  \
    static_assert(offsetof(ours, a) == offsetof(theirs, b) &&                                      \
                      sizeof(((ours *)0)->a) == sizeof(((theirs *)0)->b),                          \
                  #theirs "." #b)

SIZE(struct cd_values, value_list_t);
PLACE(struct cd_values, values, value_list_t, values);
PLACE(struct cd_values, count, value_list_t, values_len);
PLACE(struct cd_values, time, value_list_t, time);
PLACE(struct cd_values, interval, value_list_t, interval);
PLACE(struct cd_values, host, value_list_t, host);
PLACE(struct cd_values, plugin, value_list_t, plugin);
PLACE(struct cd_values, plugin_instance, value_list_t, plugin_instance);
PLACE(struct cd_values, type, value_list_t, type);
PLACE(struct cd_values, type_instance, value_list_t, type_instance);
PLACE(struct cd_values, meta, value_list_t, meta);
SIZE(union cd_value, value_t);

SIZE(struct cd_source, data_source_t);
PLACE(struct cd_source, name, data_source_t, name);
PLACE(struct cd_source, type, data_source_t, type);
PLACE(struct cd_source, min, data_source_t, min);
PLACE(struct cd_source, max, data_source_t, max);
SIZE(struct cd_data_set, data_set_t);
PLACE(struct cd_data_set, type, data_set_t, type);
PLACE(struct cd_data_set, count, data_set_t, ds_num);
PLACE(struct cd_data_set, sources, data_set_t, ds);

SIZE(struct cd_notification, notification_t);
PLACE(struct cd_notification, severity, notification_t, severity);
PLACE(struct cd_notification, time, notification_t, time);
PLACE(struct cd_notification, message, notification_t, message);
PLACE(struct cd_notification, host, notification_t, host);
PLACE(struct cd_notification, plugin, notification_t, plugin);
PLACE(struct cd_notification, plugin_instance, notification_t, plugin_instance);
PLACE(struct cd_notification, type, notification_t, type);
PLACE(struct cd_notification, type_instance, notification_t, type_instance);
PLACE(struct cd_notification, meta, notification_t, meta);

SIZE(struct cd_config, oconfig_item_t);
PLACE(struct cd_config, key, oconfig_item_t, key);
PLACE(struct cd_config, values, oconfig_item_t, values);
PLACE(struct cd_config, value_count, oconfig_item_t, values_num);
PLACE(struct cd_config, children, oconfig_item_t, children);
PLACE(struct cd_config, child_count, oconfig_item_t, children_num);
SIZE(struct cd_config_value, oconfig_value_t);
PLACE(struct cd_config_value, value, oconfig_value_t, value);
PLACE(struct cd_config_value, type, oconfig_value_t, type);
SIZE(struct cd_user_data, user_data_t);
PLACE(struct cd_user_data, free_data, user_data_t, free_func);

static_assert(CD_NAME == DATA_MAX_NAME_LEN && CD_MESSAGE == NOTIF_MAX_MSG_LEN, "lengths");
static_assert(CD_GAUGE == DS_TYPE_GAUGE && CD_DERIVE == DS_TYPE_DERIVE, "kinds of values");
static_assert(CD_FAILURE == NOTIF_FAILURE && CD_WARNING == NOTIF_WARNING && CD_OKAY == NOTIF_OKAY,
              "severities");
static_assert(CD_STRING == OCONFIG_TYPE_STRING && CD_NUMBER == OCONFIG_TYPE_NUMBER &&
                  CD_BOOLEAN == OCONFIG_TYPE_BOOLEAN,
              "kinds of settings");
