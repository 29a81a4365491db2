// ibstat, ibstatus, ibv_devinfo, ibv_devices, ibdev2netdev: what the cards and their ports are.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/fabric/fabric.h"
#include "emu/shim/shim.h"

namespace micius::emu {
namespace {

struct Card {
  std::string name, netdev, guid, lid, sm_lid, kind, firmware, board, part;
  int rate;
};

std::vector<Card> cards_of(const Host& host) {
  std::vector<Card> cards;
  if (const Json* nics = host.json("nics"))
    for (const Json& nic : *nics) {
      const auto text = [&](const char* key) {
        return nic.contains(key) ? scalar_text(nic[key]).value_or("") : std::string();
      };
      cards.push_back({text("name"), text("netdev"), text("guid"), text("lid"), text("sm_lid"), text("kind"),
                       text("firmware"), text("board_id"), text("pci_id"), nic["rate_gbps"].get<int>()});
    }
  return cards;
}

std::string part_number(const Card& card) {
  int number = 0;
  std::from_chars(card.part.data(), card.part.data() + card.part.size(), number, 16);
  return std::to_string(number);
}

// "a088:c203:00ab:12cd"
std::string with_colons(const std::string& guid) {
  std::string text;
  for (std::size_t i = 0; i < guid.size(); i += 4) text += (text.empty() ? "" : ":") + guid.substr(i, 4);
  return text;
}

const char* rate_name(int rate) {
  return rate >= 400 ? "4X NDR" : rate >= 200 ? "4X HDR" : rate >= 100 ? "4X EDR" : "4X FDR";
}

std::string hex(const std::string& decimal) {
  int number = 0;
  std::from_chars(decimal.data(), decimal.data() + decimal.size(), number);
  return fmt::format("0x{:x}", number);
}

// The cards that `names` ask for; all without names. Absent after saying what is not there.
std::optional<std::vector<Card>> chosen(Host& host, const std::vector<std::string>& names,
                                        const char* message) {
  std::vector<Card> cards = cards_of(host);
  if (names.empty()) return cards;
  std::vector<Card> result;
  for (const std::string& name : names) {
    const auto card =
        std::find_if(cards.begin(), cards.end(), [&](const Card& other) { return other.name == name; });
    if (card == cards.end()) {
      host.print_error("{}", replace_all(message, "{}", shorten(to_valid_utf8(name), 60)));
      return std::nullopt;
    }
    result.push_back(*card);
  }
  return result;
}

void print_port(Host& host, const Card& card, const char* indent) {
  host.print(
      "{0}State: Active\n{0}Physical state: LinkUp\n{0}Rate: {1}\n{0}Base lid: {2}\n{0}LMC: 0\n{0}SM lid: "
      "{3}\n"
      "{0}Capability mask: 0xa651e848\n{0}Port GUID: 0x{4}\n{0}Link layer: InfiniBand\n",
      indent, card.rate, card.lid, card.sm_lid, card.guid);
}

}  // namespace

int run_ibstat(Host& host, const Args& args) {
  const Parsed parsed = parse_options(host.tool("ibstat"), Engine::kGetopt, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return gnu_problem(host, "ibstat", parsed, 255);
  if (parsed.has("-V")) {
    host.out("ibstat BUILD VERSION: 2307mlnx47\n");
    return 0;
  }
  std::vector<std::string> names(parsed.words.begin(), parsed.words.begin() + (parsed.words.empty() ? 0 : 1));
  const auto cards = chosen(
      host, names, "ibpanic: [27411] main: stat of IB device '{}' failed: No such file or directory\n");
  if (!cards) return 255;
  for (const Card& card : *cards) {
    if (parsed.has("-l")) {
      host.print("{}\n", card.name);
      continue;
    }
    if (parsed.has("-p")) {
      host.print("0x{}\n", card.guid);
      continue;
    }
    if (parsed.words.size() > 1) {
      host.print("CA: '{}'\nPort {}:\n", card.name, shorten(to_valid_utf8(parsed.words[1]), 8));
      print_port(host, card, "");
      continue;
    }
    host.print(
        "CA '{}'\n\tCA type: MT{}\n\tNumber of ports: 1\n\tFirmware version: {}\n\tHardware version: "
        "0\n\tNode GUID: 0x{}\n"
        "\tSystem image GUID: 0x{}\n",
        card.name, part_number(card), card.firmware, card.guid, card.guid);
    if (parsed.has("-s")) continue;
    host.out("\tPort 1:\n");
    print_port(host, card, "\t\t");
  }
  return 0;
}

int run_ibstatus(Host& host, const Args& args) {
  const auto cards =
      chosen(host, {args.begin() + 1, args.end()},
             "Fatal error:  device '{}': sys files not found (/sys/class/infiniband/{}/ports)\n");
  if (!cards) return 1;
  for (const Card& card : *cards)
    host.print(
        "Infiniband device '{}' port 1 status:\n\tdefault gid:\t fe80:0000:0000:0000:{}\n\tbase lid:\t "
        "{}\n\tsm lid:\t\t {}\n"
        "\tstate:\t\t 4: ACTIVE\n\tphys state:\t 5: LinkUp\n\trate:\t\t {} Gb/sec ({})\n\tlink_layer:\t "
        "InfiniBand\n\n",
        card.name, with_colons(card.guid), hex(card.lid), hex(card.sm_lid), card.rate, rate_name(card.rate));
  return 0;
}

int run_ibv_devinfo(Host& host, const Args& args) {
  std::vector<std::string> names;
  bool list = false, verbose = false;
  for (std::size_t i = 1; i < args.size(); ++i) {
    const bool has_value =
        args[i] == "-d" || args[i] == "--ib-dev" || args[i] == "-i" || args[i] == "--ib-port";
    if (args[i] == "-l" || args[i] == "--list")
      list = true;
    else if (args[i] == "-v" || args[i] == "--verbose")
      verbose = true;
    else if (has_value && i + 1 < args.size()) {
      if (args[i].find('d') != std::string::npos && args[i] != "--ib-port") names.push_back(args[i + 1]);
      ++i;
    } else if (args[i].rfind("--ib-dev=", 0) == 0)
      names.push_back(args[i].substr(9));
    else {
      host.error("Usage: ibv_devinfo             print the ca attributes\n");
      return 255;
    }
  }
  const auto cards = chosen(host, names, "IB device '{}' wasn't found\n");
  if (!cards) return 255;
  if (list) host.print("{} HCAs found:\n", cards->size());
  for (const Card& card : *cards) {
    if (list) {
      host.print("\t{}\n", card.name);
      continue;
    }
    host.print(
        "hca_id:\t{}\n\ttransport:\t\t\tInfiniBand "
        "(0)\n\tfw_ver:\t\t\t\t{}\n\tnode_guid:\t\t\t{}\n\tsys_image_guid:\t\t\t{}\n"
        "\tvendor_id:\t\t\t0x02c9\n\tvendor_part_id:\t\t\t{}\n\thw_ver:\t\t\t\t0x0\n\tboard_id:\t\t\t{}"
        "\n\tphys_port_cnt:\t\t\t1\n",
        card.name, card.firmware, with_colons(card.guid), with_colons(card.guid), part_number(card),
        card.board);
    if (verbose)
      host.out("\tmax_mr_size:\t\t\t0xffffffffffffffff\n\tmax_qp:\t\t\t\t131072\n\tmax_qp_wr:\t\t\t32768\n");
    host.print(
        "\t\tport:\t1\n\t\t\tstate:\t\t\tPORT_ACTIVE (4)\n\t\t\tmax_mtu:\t\t4096 "
        "(5)\n\t\t\tactive_mtu:\t\t4096 (5)\n"
        "\t\t\tsm_lid:\t\t\t{}\n\t\t\tport_lid:\t\t{}\n\t\t\tport_lmc:\t\t0x00\n\t\t\tlink_layer:"
        "\t\tInfiniBand\n\n",
        card.sm_lid, card.lid);
  }
  return 0;
}

int run_ibv_devices(Host& host, const Args&) {
  host.out("    device          \t   node GUID\n    ------          \t----------------\n");
  for (const Card& card : cards_of(host)) host.print("    {:<16}\t{}\n", card.name, card.guid);
  return 0;
}

int run_ibdev2netdev(Host& host, const Args& args) {
  for (const Card& card : cards_of(host)) {
    if (args.size() > 1 && args[1] == "-v")
      host.print("{} (MT{} - {}) fw {} port 1 (ACTIVE) ==> {} (Up)\n", card.name, part_number(card),
                 card.board, card.firmware, card.netdev);
    else
      host.print("{} port 1 ==> {} (Up)\n", card.name, card.netdev);
  }
  return 0;
}

}  // namespace micius::emu
