#!/bin/sh
read -r uptime rest </proc/uptime
printf 'Content-Type: text/plain\r\n\r\n'
printf 'hostname: %s\nuptime: %s\n' "$(hostname)" "$uptime"
ip -o -4 addr show scope global | awk '{ print "address: " $4 " (" $2 ")" }'
