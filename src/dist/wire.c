/* What ranks tell each other: making the structs and checking those received. A message that makes
 * no sense can only come from another program or release among the ranks; it is refused, never
 * interpreted. */
#include "wire.h"

#include "base/text.h"

struct report report_ready(void)
{
    return (struct report){.kind = REPORT_READY, .task = -1};
}

struct report report_alive(int32_t task, double iteration)
{
    return (struct report){.kind = REPORT_ALIVE, .task = task, .iteration = iteration};
}

struct report report_outcome(int32_t task, const struct work_outcome *outcome)
{
    return (struct report){
        .kind = REPORT_OUTCOME,
        .task = task,
        .status = (int32_t)outcome->status,
        .seconds = outcome->seconds,
        .digest = outcome->digest,
        .result = outcome->result,
    };
}

struct report report_broken(const struct error *err)
{
    struct report report = {.kind = REPORT_BROKEN, .task = -1, .status = (int32_t)err->class};
    text_copy(report.text, sizeof report.text, err->text);
    return report;
}

size_t report_size(int32_t kind)
{
    switch (kind) {
    case REPORT_READY:
    case REPORT_ALIVE:
        return offsetof(struct report, result);
    case REPORT_OUTCOME:
    case REPORT_BROKEN:
        return sizeof(struct report);
    default:
        return 0;
    }
}

/* The row goes into the store as it came: it must be one that the store knows, and say the same as
 * the report. */
static bool row_is_valid(const struct store_result *row, int32_t work_status)
{
    static const enum store_status statuses[] = {
        [WORK_DONE] = STORE_DONE,
        [WORK_DIVERGED] = STORE_DIVERGED,
        [WORK_INTERRUPTED] = STORE_PENDING,
        [WORK_FAILED] = STORE_FAILED,
    };
    return row->status == (int32_t)statuses[work_status] && row->reason >= STORE_REASON_NONE &&
           row->reason < STORE_REASON_COUNT && row->message[sizeof row->message - 1] == '\0';
}

bool report_is_valid(const struct report *report, size_t size, int32_t task_count)
{
    if (size < offsetof(struct report, result) || size != report_size(report->kind))
        return false;
    if (report->task < -1 || report->task >= task_count)
        return false;
    if (report->kind == REPORT_OUTCOME)
        return report->task >= 0 && report->status >= WORK_DONE && report->status <= WORK_FAILED &&
               row_is_valid(&report->result, report->status);
    if (report->kind != REPORT_BROKEN)
        return true;
    return report->status >= ERROR_NONE && report->status <= ERROR_INTERNAL &&
           report->text[WIRE_TEXT_SIZE - 1] == '\0';
}

struct order order_task(int32_t task)
{
    return (struct order){.kind = ORDER_TASK, .task = task};
}

struct order order_ahead(int32_t task)
{
    return (struct order){.kind = ORDER_AHEAD, .task = task};
}

bool order_is_task(const struct order *order)
{
    return order->kind == ORDER_TASK || order->kind == ORDER_AHEAD;
}

struct order order_of(enum order_kind kind)
{
    return (struct order){.kind = (int32_t)kind, .task = -1};
}

struct order order_leave(bool together)
{
    return (struct order){.kind = ORDER_LEAVE, .task = -1, .together = together};
}

bool order_is_valid(const struct order *order, size_t size, int32_t task_count)
{
    if (size != sizeof *order || order->kind < ORDER_TASK || order->kind > ORDER_LEAVE)
        return false;
    return !order_is_task(order) || (order->task >= 0 && order->task < task_count);
}
