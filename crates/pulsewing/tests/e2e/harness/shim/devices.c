/* Preloaded into the program: stands for the kernel's side of a framebuffer, of an SPI bus and of a GPIO
 * chip, each over an ordinary file. The structures are those of the kernel's own headers.
 *
 * PULSEWING_FB=FILE is a framebuffer, as PULSEWING_FB_MODE says:
 * width height bits bytes-of-a-line first-column first-row, decimal, a blank between.
 *
 * PULSEWING_SPIDEV=FILE is an SPI device, PULSEWING_GPIOCHIP=FILE a GPIO chip. What is done to them is
 * appended to PULSEWING_WIRES, in records: a letter, nanoseconds (8 bytes), length (4 bytes), bytes.
 * h: the clock in Hz; m: the mode; t: what was sent; p: a line and its level.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/gpio.h>
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HANDLES 1024

/* The line behind a handle, and one more, so that 0 is none. */
static uint32_t line_of[HANDLES];

static int is_file(int fd, const char *variable)
{
	struct stat one, other;
	const char *path = getenv(variable);
	return path && fstat(fd, &one) == 0 && stat(path, &other) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void record(char kind, const void *bytes, uint32_t length)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	int log = open(getenv("PULSEWING_WIRES"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	char head[13] = { kind };
	memcpy(head + 1, &ns, 8);
	memcpy(head + 9, &length, 4);
	if (write(log, head, sizeof head) != sizeof head || write(log, bytes, length) != length)
		abort();
	close(log);
}

static void record_level(uint32_t line, uint8_t level)
{
	uint8_t both[2] = { (uint8_t)line, level };
	record('p', both, 2);
}

static int screen(unsigned long request, void *answer)
{
	unsigned width, height, bits, line, x, y;
	if (sscanf(getenv("PULSEWING_FB_MODE"), "%u %u %u %u %u %u", &width, &height, &bits, &line, &x, &y) != 6)
		abort();
	if (request == FBIOGET_VSCREENINFO) {
		struct fb_var_screeninfo info = {
			.xres = width, .yres = height,
			.xres_virtual = width + x, .yres_virtual = height + y,
			.xoffset = x, .yoffset = y, .bits_per_pixel = bits,
			.height = 49, .width = 73, .vmode = FB_VMODE_NONINTERLACED,
		};
		info.red = bits == 16 ? (struct fb_bitfield){ 11, 5, 0 } : (struct fb_bitfield){ 16, 8, 0 };
		info.green = bits == 16 ? (struct fb_bitfield){ 5, 6, 0 } : (struct fb_bitfield){ 8, 8, 0 };
		info.blue = bits == 16 ? (struct fb_bitfield){ 0, 5, 0 } : (struct fb_bitfield){ 0, 8, 0 };
		memcpy(answer, &info, sizeof info);
		return 0;
	}
	if (request == FBIOGET_FSCREENINFO) {
		struct fb_fix_screeninfo info = {
			.id = "standin", .smem_start = 0x12345678, .smem_len = line * (height + y),
			.type = FB_TYPE_PACKED_PIXELS, .visual = FB_VISUAL_TRUECOLOR,
			.xpanstep = 1, .ypanstep = 1, .line_length = line,
			.mmio_start = 0x9abcdef0, .accel = FB_ACCEL_NONE,
		};
		memcpy(answer, &info, sizeof info);
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

static int bus(unsigned long request, void *argument)
{
	if (_IOC_TYPE(request) != SPI_IOC_MAGIC) {
		errno = ENOTTY;
		return -1;
	}
	switch (_IOC_NR(request)) {
	case _IOC_NR(SPI_IOC_MESSAGE(1)):
		break;
	case _IOC_NR(SPI_IOC_WR_MAX_SPEED_HZ):
		record('h', argument, 4);
		return 0;
	case _IOC_NR(SPI_IOC_WR_MODE):
	case _IOC_NR(SPI_IOC_WR_MODE32):
		record('m', argument, 1);
		return 0;
	default:
		return 0;
	}
	struct spi_ioc_transfer *transfers = argument;
	int sent = 0;
	for (unsigned i = 0; i < _IOC_SIZE(request) / sizeof *transfers; i++) {
		/* spidev's buffer, unless its module is told otherwise. */
		if ((sent += transfers[i].len) > 4096) {
			errno = EMSGSIZE;
			return -1;
		}
		record('t', (void *)(uintptr_t)transfers[i].tx_buf, transfers[i].len);
	}
	return sent;
}

static int chip(unsigned long request, void *argument)
{
	if (request == GPIO_GET_CHIPINFO_IOCTL) {
		struct gpiochip_info info = { .name = "gpiochip0", .label = "standin", .lines = 58 };
		memcpy(argument, &info, sizeof info);
		return 0;
	}
	if (request == GPIO_GET_LINEINFO_IOCTL) {
		struct gpioline_info *info = argument;
		info->flags = 0;
		memset(info->name, 0, sizeof info->name);
		memset(info->consumer, 0, sizeof info->consumer);
		/* Somebody's button. */
		if (info->line_offset == 17) {
			info->flags = GPIOLINE_FLAG_KERNEL;
			strcpy(info->consumer, "button@17");
		}
		return 0;
	}
	if (request == GPIO_GET_LINEHANDLE_IOCTL) {
		struct gpiohandle_request *wanted = argument;
		if (wanted->lines != 1 || !(wanted->flags & GPIOHANDLE_REQUEST_OUTPUT)) {
			errno = EINVAL;
			return -1;
		}
		wanted->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (wanted->fd < 0 || wanted->fd >= HANDLES)
			abort();
		line_of[wanted->fd] = wanted->lineoffsets[0] + 1;
		record_level(wanted->lineoffsets[0], wanted->default_values[0]);
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	if (is_file(fd, "PULSEWING_FB"))
		return screen(request, argument);
	if (is_file(fd, "PULSEWING_SPIDEV"))
		return bus(request, argument);
	if (is_file(fd, "PULSEWING_GPIOCHIP"))
		return chip(request, argument);
	if (fd >= 0 && fd < HANDLES && line_of[fd] && request == GPIOHANDLE_SET_LINE_VALUES_IOCTL) {
		record_level(line_of[fd] - 1, ((struct gpiohandle_data *)argument)->values[0]);
		return 0;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}
