/*
 * A live stream: how warm the machine is, each second, as Server-Sent Events. Where the kernel shows no sensor it is
 * the load average that is sent, under its own name.
 *
 *     curl --no-buffer --unix-socket PATH http://localhost/temperature
 */
#include <berth.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SENSOR "/sys/class/thermal/thermal_zone0/temp"

/* The kernel tells millidegrees. */
static int read_temperature(struct berth_stream_event *event, char *text, size_t room)
{
    FILE *file = fopen(SENSOR, "re");
    long millidegrees;
    int found;

    if (!file)
        return -errno;
    found = fscanf(file, "%ld", &millidegrees);
    fclose(file);
    if (found != 1)
        return -EIO;
    snprintf(text, room, "{\"celsius\":%.1f}", (double)millidegrees / 1000);
    event->event = "temperature";
    return 0;
}

static int read_load(struct berth_stream_event *event, char *text, size_t room)
{
    double load;

    if (getloadavg(&load, 1) != 1)
        return -EIO;
    snprintf(text, room, "{\"load\":%.2f}", load);
    event->event = "load";
    return 0;
}

/* A client that reads too slowly is sent what is true now, not all that was: what does not fit is dropped. */
static void send_temperature(struct berth_stream *stream, void *data)
{
    char text[64];
    struct berth_stream_event event = { .data = text };

    if (read_temperature(&event, text, sizeof(text)) < 0 && read_load(&event, text, sizeof(text)) < 0) {
        berth_stream_cut(stream);
        return;
    }
    berth_stream_event(stream, &event);
}

/* GET /temperature */
static int temperature(struct berth_request *request, struct berth_reply *reply)
{
    struct berth_stream *stream;
    int r = berth_reply_events(reply, &stream);

    if (r < 0)
        return r;
    berth_stream_limit(stream, 1024, BERTH_STREAM_DROP);
    return berth_stream_every(stream, 1000, send_temperature, NULL);
}

static const struct berth_route routes[] = {
    { "GET", "/temperature", temperature },
    { 0 },
};

BERTH_APP("temperature", .routes = routes);
