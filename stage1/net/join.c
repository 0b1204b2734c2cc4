/* See join.h. What each rule is for is said in the text itself, which stays in the pod's directory. */
#include "stage1/net/join.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

/*
 * Frames that were forwarded carry this mark from one device's ingress to the other's egress, so that
 * what the namespace's own stack sends can be told from them, and dropped.
 */
#define MARK "0x73783176"

static void put_ip(const struct guest_ip *ip, FILE *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(ip->family == 6 ? AF_INET6 : AF_INET, ip->bytes, text, sizeof(text));
	fputs(text, out);
}

/* As an integer, for fields that nft has no name for. */
static void put_hex(const struct guest_ip *ip, FILE *out)
{
	fputs("0x", out);
	for (size_t i = 0; i < sizeof(ip->bytes); i++)
		fprintf(out, "%02x", ip->bytes[i]);
}

static void put_set(const struct guest_nic *nic, uint8_t family, void (*put)(const struct guest_ip *, FILE *),
	const char *before, FILE *out)
{
	const struct guest_ip own = guest_ip_of_mac(nic->mac);
	const char *comma = *before ? ", " : "";

	fprintf(out, "{ %s", before);
	for (size_t i = 0; i < nic->naddrs; i++) {
		if (nic->addrs[i].family != family)
			continue;
		fputs(comma, out);
		put(&nic->addrs[i], out);
		comma = ", ";
	}
	if (family == 6) {
		fputs(comma, out);
		put(&own, out);
	}
	fputs(" }", out);
}

static bool has_ip4(const struct guest_nic *nic)
{
	for (size_t i = 0; i < nic->naddrs; i++)
		if (nic->addrs[i].family == 4)
			return true;
	return false;
}

/* The way to one address, and the questions who has it. */
static void put_only_to(const char *address, FILE *out)
{
	fprintf(out, "\t\t# a restricted network: nobody but the host\n");
	if (strchr(address, ':'))
		fprintf(out, "\t\tether type { ip, arp } drop\n"
			"\t\tip6 daddr != %s icmpv6 type != { nd-neighbor-solicit, nd-neighbor-advert } drop\n"
			"\t\tip6 daddr != %s meta l4proto != ipv6-icmp drop\n", address, address);
	else
		fprintf(out, "\t\tether type ip6 drop\n\t\tip daddr != %s drop\n\t\tarp daddr ip != %s drop\n",
			address, address);
}

static void put_filter(const struct guest_nic *nic, const char *mac, FILE *out)
{
	fprintf(out, "\t\t# only from its own MAC and its own addresses\n");
	fprintf(out, "\t\tether saddr != %s drop\n", mac);
	if (has_ip4(nic)) {
		fputs("\t\tip saddr ", out);
		put_set(nic, 4, put_ip, "", out);
		fputs(" goto out\n", out);
		fprintf(out, "\t\tarp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp saddr ether %s arp saddr ip ", mac);
		put_set(nic, 4, put_ip, "0.0.0.0", out);
		fputs(" goto out\n", out);
	}
	fputs("\t\t# a host, no router; a neighbour that says where it is, not where others are\n"
		"\t\ticmpv6 type { nd-router-advert, nd-redirect } drop\n"
		"\t\ticmpv6 type nd-neighbor-advert @th,64,128 != ", out);
	put_set(nic, 6, put_hex, "", out);
	fputs(" drop\n\t\tip6 saddr ", out);
	put_set(nic, 6, put_ip, "", out);
	fputs(" goto out\n"
		"\t\t# before it has an address: is it free?\n"
		"\t\tip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld-listener-report, "
		"mld-listener-done, mld2-listener-report } goto out\n", out);
}

char *join_rules(const struct guest_nic *nic, const struct join_opts *opts)
{
	AUTO_FREE char *mac = xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", nic->mac[0], nic->mac[1], nic->mac[2],
		nic->mac[3], nic->mac[4], nic->mac[5]);
	const char *eth = nic->name;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	/* Whatever was there goes in the same transaction: the rules may be loaded again. */
	fprintf(out, "table netdev join_%s\ndelete table netdev join_%s\n\ntable netdev join_%s {\n", eth, eth, eth);
	fprintf(out, "\tchain out {\n\t\tmeta mark set " MARK " fwd to \"%s\"\n\t}\n\n", eth);
	fprintf(out, "\tchain from_guest {\n\t\ttype filter hook ingress device $vif priority 0; policy drop;\n"
		"\t\t# dom0's own: ports of its loopback address are forwarded to the pod\n"
		"\t\tip daddr 127.0.0.0/8 drop\n");
	if (opts->only_to)
		put_only_to(opts->only_to, out);
	if (opts->any_source)
		fputs("\t\tip saddr 127.0.0.0/8 drop\n\t\tgoto out\n", out);
	else
		put_filter(nic, mac, out);
	fprintf(out, "\t}\n\n\tchain to_guest {\n\t\ttype filter hook ingress device \"%s\" priority 0; policy drop;\n"
		"\t\tmeta mark set " MARK " fwd to $vif\n\t}\n\n", eth);
	/* Nothing of this namespace's own stack: its addresses are the guest's. */
	fprintf(out, "\tchain own_out {\n\t\ttype filter hook egress device \"%s\" priority 0; policy drop;\n"
		"\t\tmeta mark " MARK " meta mark set 0 accept\n\t}\n\n", eth);
	fprintf(out, "\tchain own_in {\n\t\ttype filter hook egress device $vif priority 0; policy drop;\n"
		"\t\tmeta mark " MARK " meta mark set 0 accept\n\t}\n}\n");
	if (fclose(out) != 0)
		abort();
	return text;
}
