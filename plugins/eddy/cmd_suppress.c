/* SPDX-License-Identifier: MIT */
/* cmd_suppress.c - eddy suppress: silences exactly what is meant, and says what it would silence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "said_file.h"
#include "suppress.h"
#include "suppress_try.h"
#include "suppress_twins.h"

static const char help[] =
    "Usage: eddy suppress add [--from INCIDENT] [KEY=VALUE...] --owner WHO --why TEXT [OPTION...]\n"
    "       eddy suppress test [--from INCIDENT | --rule TEXT | KEY=VALUE...] LOG...\n"
    "       eddy suppress list\n"
    "       eddy suppress remove ID\n"
    "Silences what is known to be harmless. Suppressed incidents are counted and kept, but not "
    "sent,\n"
    "and nothing is learned from them. The file of rules is suppress.path; a sensor that runs acts "
    "on\n"
    "a change within a second.\n\n"
    "add makes a rule of an incident, of KEY=VALUE words, or of both: words replace what the "
    "incident\n"
    "says, and KEY=any takes it away. All that a rule names must hold:\n"
    "  detector=NAME  src= dst= host= about=ADDRESS[/BITS]  port=  proto=  asn=  country=\n"
    "  direction=recorded|both\n"
    "src and dst together hold either way round; host is either end, about whom the incident is "
    "about.\n"
    "A rule that is in the file already is renewed: it gets the new end, owner and why.\n"
    "test scores LOG without and with the rules (of the file, if none are given): what would have "
    "been\n"
    "hidden, and what share of all flows each rule matches.\n\n"
    "      --from INCIDENT       its id, or the beginning of it\n"
    "      --in FILE             where the incidents are: JSON lines; may be repeated. Not given:\n"
    "                            history.path\n"
    "      --expires 30d|TIME|never  when the rule ends, in the time of the flows\n"
    "      --owner WHO           who answers for it\n"
    "      --why TEXT            why it is harmless\n"
    "      --id ID               a name of your own for the rule\n"
    "      --rule TEXT           test: a whole rule; may be repeated\n"
    "      --test LOG            add: try the rule on this log first; may be repeated\n"
    "      --force               even if it matches more than suppress.max_share of the flows, or\n"
    "                            names nothing but a detector, protocol or direction\n"
    "      --file FILE           the file of rules, instead of suppress.path\n"
    "      --json                test, list: as JSON\n" RUN_HELP
    "  -h, --help                this\n\n"
    "Without -c, settings are those of /etc/eddy/eddy.conf, if there is one.\n"
    "Exit status: 0, 1 if an operation failed or a rule is too wide, 2 for wrong usage.\n";

/* ---- trying ---- */

/* `after` is `before` and what is tried. */
static int try_rules(struct suppress *s, const char *before, const char *after)
{
    char setting[64] = "";
    struct trial trial = {.run = &s->run, .before = before, .after = after};
    int status = said_setting(&s->said, "suppress.max_share", setting, sizeof setting);
    if (status != EXIT_FINE)
        return status;
    double most = strtod(setting, NULL); /* it was checked when it was set */
    s->run.files = (char **)(void *)s->logs;
    s->run.file_count = s->log_count;
    status = suppress_try(&trial);
    if (status == EXIT_FINE && s->json)
        trial_print_json(&trial);
    else if (status == EXIT_FINE)
        trial_print(&trial);
    const struct tried_rule *wide = status == EXIT_FINE ? trial_too_wide(&trial, most) : NULL;
    if (wide != NULL && !s->force) {
        complain(&s->run.progress,
                 "%s matches %.2f %% of the flows, more than suppress.max_share = %g %%: name more "
                 "of what is meant, or use --force",
                 wide->id, 100.0 * (double)wide->flows / (double)trial.scored, 100.0 * most);
        status = EXIT_FAULT;
    }
    trial_done(&trial);
    return status;
}

/* ---- adding ---- */

/* Says that nobody has looked at what words without a log would hide. */
static void say_untried(struct suppress *s, const struct suppress_fields *fields)
{
    char words[512];
    if (s->log_count > 0 || s->word_count == 0 || s->run.quiet)
        return;
    suppress_print(fields, words, sizeof words);
    complain(&s->run.progress,
             "what this rule hides was not tried; with a log that is: eddy suppress test %s LOG",
             words);
}

/* Into the file that is locked. Everything in it is checked, old and new. A rule with the same
 * fields gives way: its end, owner and why are what is renewed. */
static int add_line(struct suppress *s, struct said_file *file, struct said_line *line,
                    struct twins *twins)
{
    eddy_error err = {0};
    if (eddy_said_check(EDDY_SUPPRESSIONS, file->path, file->text, NULL, NULL, &err) != EDDY_OK) {
        complain(&s->run.progress, "%s; nothing was added", err.message);
        return EXIT_FAULT;
    }
    twins_take(twins, file->text, line, s->id == NULL);
    char *text = twins_put(twins, file->text, line);
    int status = EXIT_FINE;
    if (text == NULL) {
        complain(&s->run.progress, "out of memory");
        return EXIT_FAULT;
    }
    if (eddy_said_check(EDDY_SUPPRESSIONS, file->path, text, NULL, NULL, &err) != EDDY_OK) {
        complain(&s->run.progress, "%s; nothing was added", err.message);
        status = EXIT_FAULT;
    }
    if (status == EXIT_FINE && s->log_count > 0)
        status = try_rules(s, file->text, text);
    if (status == EXIT_FINE && said_file_replace(file, text, &err) != EDDY_OK) {
        complain(&s->run.progress, "%s; nothing was added", err.message);
        status = EXIT_FAULT;
    }
    free(text);
    return status;
}

static int add(struct suppress *s)
{
    char path[4096];
    struct suppress_fields fields;
    struct said_line line;
    struct said_file file;
    struct twins twins;
    eddy_error err = {0};
    int64_t end_us;
    if (s->owner == NULL || s->why == NULL)
        return usage_error("suppress", "add needs --owner WHO and --why TEXT: somebody will ask");
    if (s->from == NULL && s->word_count == 0)
        return usage_error("suppress", "add needs --from INCIDENT or KEY=VALUE words");
    int status = suppress_fields(s, &fields, &end_us);
    if (status == EXIT_FINE)
        status = suppress_line(s, &fields, end_us, &line);
    if (status == EXIT_FINE && !s->force && !suppress_is_placed(&fields)) {
        complain(&s->run.progress, "the rule names no address, network, port, AS or country: it "
                                   "would hold everywhere; name more, or use --force");
        status = EXIT_FAULT;
    }
    if (status == EXIT_FINE)
        status = said_path(&s->said, "suppress.path", path, sizeof path);
    if (status != EXIT_FINE)
        return status;
    if (said_file_open(&file, path, true, &err) != EDDY_OK) {
        complain(&s->run.progress, "%s", err.message);
        return EXIT_FAULT;
    }
    status = add_line(s, &file, &line, &twins);
    if (status == EXIT_FINE && !s->json)
        printf(twins.count > 0 ? "Renewed in %s:\n%s\n" : "Added to %s:\n%s\n", path, line.text);
    if (status == EXIT_FINE && !s->json && twins.count > 0)
        printf("It was:\n%s\n", twins.first);
    if (status == EXIT_FINE)
        say_untried(s, &fields);
    said_file_close(&file);
    return status == EXIT_FINE ? finish_output() : status;
}

/* ---- testing ---- */

/* Both texts, with a newline between them. */
static char *join(const char *a, const char *b)
{
    size_t length = strlen(a), size = length + strlen(b) + 2;
    char *out = malloc(size);
    if (out != NULL)
        (void)snprintf(out, size, "%s%s%s", a, length > 0 && a[length - 1] != '\n' ? "\n" : "", b);
    return out;
}

/* One more rule to try. In `before` there is none with the same fields then: what it hides is to be
 * seen, though it is in force already. */
static int try_besides(struct said_line *line, char **before, char **tried)
{
    struct twins twins;
    twins_take(&twins, *before, line, false);
    char *less = twins_put(&twins, *before, NULL), *more = said_append(*tried, line);
    free(*before);
    free(*tried);
    *before = less;
    *tried = more;
    return less != NULL && more != NULL ? EXIT_FINE : EXIT_FAULT;
}

/* The rules of --rule, --from and words go to `tried`. */
static int own_rules(struct suppress *s, char **before, char **tried)
{
    struct suppress_fields fields;
    struct said_line line = {0};
    int64_t end_us;
    int status = EXIT_FINE;
    for (size_t i = 0; i < s->rule_count && status == EXIT_FINE; i++) {
        if (!said_clean(s->rules[i]))
            return usage_error("suppress", "--rule has a control character: %s", s->rules[i]);
        (void)snprintf(line.text, sizeof line.text, "%s", s->rules[i]);
        status = try_besides(&line, before, tried);
    }
    if (status != EXIT_FINE || (s->from == NULL && s->word_count == 0))
        return status;
    status = suppress_fields(s, &fields, &end_us);
    if (status == EXIT_FINE)
        status = suppress_line(s, &fields, end_us, &line);
    return status == EXIT_FINE ? try_besides(&line, before, tried) : status;
}

/* The rules that are tried, as the text of a file; what they are tried on top of. */
static int rules_to_try(struct suppress *s, char **before, char **after)
{
    char path[4096];
    eddy_error err = {0};
    bool own = s->rule_count > 0 || s->from != NULL || s->word_count > 0;
    int status = own && s->said.file == NULL
                     ? said_setting(&s->said, "suppress.path", path, sizeof path)
                     : said_path(&s->said, "suppress.path", path, sizeof path);
    if (status != EXIT_FINE)
        return status;
    if (path[0] == '\0')
        *before = strdup("");
    else if (said_file_read(path, before, &err) != EDDY_OK) {
        complain(&s->run.progress, "%s", err.message);
        return EXIT_FAULT;
    }
    char *tried = strdup("");
    if (own && *before != NULL && tried != NULL)
        status = own_rules(s, before, &tried);
    if (*before != NULL && tried != NULL)
        *after = join(*before, tried);
    if (!own && *before != NULL)
        (*before)[0] = '\0';
    free(tried);
    if (*before != NULL && *after != NULL)
        return status;
    complain(&s->run.progress, "out of memory");
    return EXIT_FAULT;
}

static int test(struct suppress *s)
{
    char *before = NULL, *after = NULL;
    if (s->log_count == 0)
        return usage_error("suppress", "test needs the LOGs to try the rules on");
    int status = rules_to_try(s, &before, &after);
    if (status == EXIT_FINE)
        status = try_rules(s, before, after);
    free(before);
    free(after);
    int written = finish_output();
    return status != EXIT_FINE ? status : written;
}

/* ---- removing ---- */

struct removal {
    const char *id;
    unsigned line; /* 0: not found */
    bool several;
    char text[SAID_LINE + 1];
};

static int find_line(const eddy_entry *entry, void *user)
{
    struct removal *removal = user;
    bool whole = strcmp(entry->id, removal->id) == 0;
    if (!whole && strncmp(entry->id, removal->id, strlen(removal->id)) != 0)
        return 0;
    removal->several = removal->line != 0 && !whole;
    removal->line = entry->line;
    (void)snprintf(removal->text, sizeof removal->text, "%s", entry->text);
    return whole; /* a whole id is not looked for any further */
}

/* Takes a line out of the text. */
static void cut_line(char *text, unsigned line)
{
    while (--line > 0)
        text = strchr(text, '\n') + 1;
    char *end = strchr(text, '\n') + 1; /* every line has one: it was checked */
    memmove(text, end, strlen(end) + 1);
}

static int remove_from(struct suppress *s, struct said_file *file, struct removal *removal)
{
    eddy_error err = {0};
    if (eddy_said_check(EDDY_SUPPRESSIONS, file->path, file->text, find_line, removal, &err) < 0) {
        complain(&s->run.progress, "%s; nothing was removed", err.message);
        return EXIT_FAULT;
    }
    if (removal->line == 0 || removal->several) {
        complain(&s->run.progress, "%s: %s begins with %s", file->path,
                 removal->several ? "more than one id" : "no id", removal->id);
        return EXIT_FAULT;
    }
    cut_line(file->text, removal->line);
    if (said_file_replace(file, file->text, &err) == EDDY_OK)
        return EXIT_FINE;
    complain(&s->run.progress, "%s; nothing was removed", err.message);
    return EXIT_FAULT;
}

static int take_away(struct suppress *s)
{
    char path[4096];
    struct said_file file;
    eddy_error err = {0};
    if (s->log_count != 1 || s->logs[0][0] == '\0')
        return usage_error("suppress", "remove needs the id of one rule");
    struct removal removal = {.id = s->logs[0]};
    int status = said_path(&s->said, "suppress.path", path, sizeof path);
    if (status != EXIT_FINE)
        return status;
    if (said_file_open(&file, path, false, &err) != EDDY_OK) {
        complain(&s->run.progress, "%s", err.message);
        return EXIT_FAULT;
    }
    status = remove_from(s, &file, &removal);
    if (status == EXIT_FINE)
        printf("Removed from %s:\n%s\n", path, removal.text);
    said_file_close(&file);
    return status == EXIT_FINE ? finish_output() : status;
}

/* ---- the command ---- */

enum long_option {
    LONG_FROM = 256,
    LONG_IN,
    LONG_EXPIRES,
    LONG_OWNER,
    LONG_WHY,
    LONG_ID,
    LONG_RULE,
    LONG_TEST,
    LONG_FORCE,
    LONG_FILE,
    LONG_JSON
};

static const struct option options[] = {RUN_LONG,
                                        {"from", required_argument, NULL, LONG_FROM},
                                        {"in", required_argument, NULL, LONG_IN},
                                        {"expires", required_argument, NULL, LONG_EXPIRES},
                                        {"owner", required_argument, NULL, LONG_OWNER},
                                        {"why", required_argument, NULL, LONG_WHY},
                                        {"id", required_argument, NULL, LONG_ID},
                                        {"rule", required_argument, NULL, LONG_RULE},
                                        {"test", required_argument, NULL, LONG_TEST},
                                        {"force", no_argument, NULL, LONG_FORCE},
                                        {"file", required_argument, NULL, LONG_FILE},
                                        {"json", no_argument, NULL, LONG_JSON},
                                        {0}};

static bool take_option(struct suppress *s, int option, char *value)
{
    const char **texts[] = {
        [LONG_FROM - LONG_FROM] = &s->from,   [LONG_EXPIRES - LONG_FROM] = &s->expires,
        [LONG_OWNER - LONG_FROM] = &s->owner, [LONG_WHY - LONG_FROM] = &s->why,
        [LONG_ID - LONG_FROM] = &s->id,       [LONG_FILE - LONG_FROM] = &s->said.file,
        [LONG_JSON - LONG_FROM] = NULL};
    switch (option) {
    case LONG_IN:
        s->said.in[s->said.in_count++] = value;
        return true;
    case LONG_RULE:
        s->rules[s->rule_count++] = value;
        return true;
    case LONG_TEST:
        s->logs[s->log_count++] = value;
        return true;
    case LONG_FORCE:
        s->force = true;
        return true;
    case LONG_JSON:
        s->json = true;
        return true;
    default:
        break;
    }
    if (option < LONG_FROM || option > LONG_FILE || texts[option - LONG_FROM] == NULL)
        return run_option(&s->run, option, value);
    *texts[option - LONG_FROM] = value;
    return true;
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse(struct suppress *s, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, RUN_SHORT, options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (!take_option(s, option, optarg))
            return usage_option("suppress", argv);
    }
    if (optind == argc)
        return usage_error("suppress", "what? add, test, list or remove");
    s->action = argv[optind++];
    for (; optind < argc; optind++) {
        if (suppress_is_field(argv[optind]))
            s->words[s->word_count++] = argv[optind];
        else if (suppress_is_unknown(argv[optind]))
            return usage_error("suppress", "%s: no such key (or file); keys are " SUPPRESS_KEYS,
                               argv[optind]);
        else if (strcmp(s->action, "add") == 0)
            return usage_error("suppress", "%s: no KEY=VALUE (logs to try it on: --test LOG)",
                               argv[optind]);
        else
            s->logs[s->log_count++] = argv[optind];
    }
    return -1;
}

static int run_action(struct suppress *s)
{
    static const struct {
        const char *name;
        int (*run)(struct suppress *s);
    } actions[] = {{"add", add}, {"test", test}, {"list", suppress_list}, {"remove", take_away}};
    said_default_config(&s->run);
    s->said.run = &s->run;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, s->action) == 0)
            return actions[i].run(s);
    return usage_error("suppress", "%s: not add, test, list or remove", s->action);
}

int cmd_suppress(int argc, char **argv)
{
    struct suppress s = {0};
    size_t words = (size_t)argc + 1;
    const char **room = calloc(4 * words, sizeof *room);
    if (room == NULL || !run_init(&s.run, "suppress", argc + TRIAL_SETTINGS)) {
        complain(&s.run.progress, "out of memory");
        free(room);
        return EXIT_FAULT;
    }
    s.said.in = room;
    s.rules = room + words;
    s.logs = room + 2 * words;
    s.words = room + 3 * words;
    int status = parse(&s, argc, argv);
    if (status < 0)
        status = run_action(&s);
    run_done(&s.run);
    free(room);
    return status;
}
