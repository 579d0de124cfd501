/* base/queue.h: bounded queues of pointers between threads, in two classes: urgent is always taken first. Any thread.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue *queue_new(size_t capacity_urgent, size_t capacity_normal);
void queue_free(struct queue **q); /* must be empty */
bool queue_put(struct queue *q, void *item,
               bool urgent);                        /* false: full or closed, nothing was taken; item is not NULL */
void *queue_take(struct queue *q, int64_t wait_us); /* NULL: nothing came in time, or closed and empty; -1 waits on */
void *queue_try(struct queue *q);                   /* NULL: nothing there now */
void queue_close(struct queue *q);                  /* puts fail from now on; takers get what is left, then NULL */
bool queue_is_closed(struct queue *q);
size_t queue_length(struct queue *q);

#endif
