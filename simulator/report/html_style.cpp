#include "simulator/report/html_style.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace mesh::simulator {
namespace {

// The console's tokens (app/theme/tokens.h) that the report needs. The report must stand without
// the console, so they are repeated here; its test compares the two.
struct ReportColor
{
    std::string_view name;
    std::uint32_t light;
    std::uint32_t dark;
};

constexpr std::array kReportColors = {
    ReportColor{"chrome", 0xF0F1F4, 0x0F1115},
    ReportColor{"panel", 0xFFFFFF, 0x181B21},
    ReportColor{"raised", 0xF5F6F8, 0x1F232A},
    ReportColor{"hover", 0xECEEF2, 0x262B34},
    ReportColor{"border", 0xE2E5EA, 0x272C35},
    ReportColor{"borderInput", 0xC6CDD7, 0x384050},
    ReportColor{"borderStrong", 0x8690A0, 0x6B7688},
    ReportColor{"text1", 0x14171C, 0xE6E9EF},
    ReportColor{"text2", 0x474F5D, 0xAEB6C4},
    ReportColor{"text3", 0x626B7A, 0x8A94A5},
    ReportColor{"grid", 0xECEEF2, 0x232831},
    ReportColor{"ok", 0x127A54, 0x43B584},
    ReportColor{"okSoft", 0xE6F4EE, 0x172A26},
    ReportColor{"degraded", 0x9A5D00, 0xE8AC45},
    ReportColor{"degradedSoft", 0xFCF2DF, 0x30281A},
    ReportColor{"failure", 0xC62F2B, 0xF4716D},
    ReportColor{"failureSoft", 0xFCE9E8, 0x351F22},
    ReportColor{"simulationRow", 0xEFEAFC, 0x251F3A},
    ReportColor{"simulationLine", 0x6D47D9, 0xA78BFA},
    ReportColor{"series1", 0x3E7FC0, 0x5B97D3},
    ReportColor{"series2", 0x0E6E63, 0x48C4B6},
    ReportColor{"series4", 0xB0507F, 0xE08FB0},
    ReportColor{"series5", 0x75801F, 0xB5BE63},
};

constexpr std::string_view kRules = R"css(
*{box-sizing:border-box}
html{background:var(--chrome)}
body{margin:0;color:var(--text1);
font:13px/18px Inter,"Noto Sans","DejaVu Sans",system-ui,sans-serif;
font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
.edge{height:6px;
background:repeating-linear-gradient(45deg,var(--simulationLine) 0 6px,
var(--simulationRow) 6px 12px)}
main{max-width:1160px;margin:0 auto;padding:20px 20px 48px}
header{display:flex;flex-wrap:wrap;align-items:center;gap:8px 12px;margin-bottom:16px}
h1{font-size:18px;line-height:22px;font-weight:600;margin:0;overflow-wrap:anywhere}
.tag{font-size:10.5px;font-weight:700;letter-spacing:.05em;color:var(--panel);
background:var(--simulationLine);
border-radius:4px;padding:1px 8px}
.facts{color:var(--text3);font-size:12px}
section{background:var(--panel);border:1px solid var(--border);border-radius:8px;padding:16px 20px;
margin:0 0 16px}
h2{font-size:16px;line-height:20px;font-weight:600;margin:0 0 4px}
h3{font-size:13px;line-height:18px;font-weight:600;margin:18px 0 4px}
p{margin:4px 0 8px;max-width:110ch}
.lead,.note{color:var(--text3);font-size:12px;line-height:16px}
.note{margin-top:8px}
.verdict{display:flex;gap:16px;align-items:flex-start}
.verdict>div{flex:1;min-width:0}
.verdict svg{flex:none;width:40px;height:40px}
.verdict h2{font-size:24px;line-height:30px}
.verdict circle{stroke-width:2;fill:var(--okSoft);stroke:var(--ok)}
.verdict path{fill:none;stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round;
stroke:var(--ok)}
.verdict.fails circle{fill:var(--failureSoft);stroke:var(--failure)}
.verdict.fails path{stroke:var(--failure)}
.verdict.warns circle{fill:var(--degradedSoft);stroke:var(--degraded)}
.verdict.warns path{stroke:var(--degraded)}
.wide{overflow-x:auto;margin:8px -20px 0;padding:0 20px}
table{border-collapse:collapse;width:100%;font-size:12px;line-height:16px}
th,td{text-align:left;padding:6px 12px 6px 0;border-bottom:1px solid var(--border);
vertical-align:top}
th:last-child,td:last-child{padding-right:0}
tbody tr:last-child>*{border-bottom:0}
thead th{font-size:11px;line-height:14px;font-weight:400;color:var(--text3);vertical-align:bottom}
tbody th{font-weight:600;overflow-wrap:anywhere}
tbody th.sub{font-weight:400;color:var(--text3);padding-left:12px}
td.n,th.n{text-align:right;white-space:nowrap}
.windows td.n,.windows th.n{width:120px}
td.wrap{white-space:normal}
td.soft{color:var(--text3)}
td.mark{width:20px;padding-right:8px}
th.in,td.in{background:var(--failureSoft);padding-left:10px;padding-right:10px}
th.in{color:var(--failure)}
tr.quiet td{color:var(--text3)}
tr.first>*{border-top:1px solid var(--borderInput)}
code,pre{font:12px/19px "JetBrains Mono","DejaVu Sans Mono",ui-monospace,monospace;
font-variant-ligatures:none}
code{overflow-wrap:anywhere}
pre{margin:8px 0 0;padding:10px 12px;background:var(--raised);border:1px solid var(--border);
border-radius:6px;
white-space:pre-wrap;overflow-wrap:anywhere}
.ok{color:var(--ok)}.bad{color:var(--failure)}.warn{color:var(--degraded)}.dim{color:var(--text3)}
td.ok,td.bad,td.warn{font-weight:600}
.banner{background:var(--degradedSoft);color:var(--degraded);border-radius:6px;padding:8px 12px;
margin:12px 0 0;
max-width:none;font-size:12px}
.banner.bad{background:var(--failureSoft);color:var(--failure)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:12px;color:var(--text2);
margin:8px 0 4px;padding:0;list-style:none}
.legend svg{width:24px;height:8px;margin-right:6px;vertical-align:1px}
.chips{display:flex;flex-wrap:wrap;gap:4px;margin:0;padding:0;list-style:none}
.chips li{background:var(--hover);color:var(--text2);border-radius:4px;padding:1px 7px;
font-size:12px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:8px 0 0;font-size:12px;
line-height:16px}
dt{color:var(--text3)}
dd{margin:0;overflow-wrap:anywhere;max-width:84ch}
.three{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:12px;
margin-top:8px}
.three>div{background:var(--raised);border-radius:6px;padding:12px}
.three h3{margin:0 0 4px}
.three p{margin:0;color:var(--text2);font-size:12px;line-height:16px}
details{margin-top:12px}
summary{cursor:pointer;color:var(--text2);font-size:12px}
svg.timeline{display:block;width:100%;min-width:760px;height:auto;overflow:visible;font-size:11px}
svg .lane{fill:var(--text1);font-size:12px}
svg .sub,svg .tick,svg .flagword,svg .clipnote{fill:var(--text3)}
svg .tick,svg .goal{font-size:10.5px}
svg .goal{fill:var(--ok)}
svg .clipword{fill:var(--text1)}
svg .rule{stroke:var(--border)}
svg .grid{stroke:var(--grid)}
svg .zero{stroke:var(--borderInput)}
svg .warmup{fill:var(--hover);fill-opacity:.7}
svg .shade{fill:var(--failure);fill-opacity:.08}
svg .clip{fill:var(--failureSoft);stroke:var(--failure)}
svg .gap{fill:url(#hatch)}
svg .threshold{stroke:var(--ok);stroke-dasharray:4 3}
svg .line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
svg .s0{stroke:var(--text3);stroke-dasharray:3 2;stroke-width:1.4;stroke-linecap:butt}
svg .s1{stroke:var(--simulationLine);stroke-width:1.8}
svg .s2{stroke:var(--series2)}
svg .s3{stroke:var(--series1)}
svg .s4{stroke:var(--series4)}
svg .s5{stroke:var(--series5)}
svg .hollow{fill:var(--panel);stroke:currentColor;stroke-width:1.6}
svg .filled{fill:currentColor;stroke:var(--panel);stroke-width:.8}
svg .glyph.quiet,svg .flag.quiet{color:var(--text3)}
svg .glyph.bad{color:var(--failure)}
svg .glyph.warn,svg .flag.warn{color:var(--degraded)}
svg .glyph.good,svg .flag.good{color:var(--ok)}
svg .flag{stroke:currentColor}
svg.bar{display:block;width:260px;height:16px;max-width:none}
svg.bar .axis{stroke:var(--borderStrong)}
svg.bar .gain{fill:var(--simulationLine);fill-opacity:.75}
svg.bar .loss{fill:var(--degraded);fill-opacity:.75}
svg.bar .whisker{stroke:var(--text1);stroke-width:1.2;fill:none}
svg.waterfall{display:block;width:100%;min-width:760px;height:auto;font-size:11px}
svg.waterfall text{fill:var(--text3)}
svg.waterfall .critical text.lane{fill:var(--text1);font-weight:600}
svg.waterfall .span{stroke:var(--borderStrong)}
svg.waterfall .try{fill:var(--hover);stroke:var(--borderInput)}
svg.waterfall .work{fill:var(--series1)}
svg.waterfall .queue{fill:var(--degraded)}
svg.waterfall .try.lost{fill:var(--failureSoft);stroke:var(--failure)}
svg.waterfall .beside{opacity:.45}
footer{color:var(--text3);font-size:11px;line-height:14px}
@media(max-width:720px){main{padding:12px}section{padding:12px}.wide{margin:8px -12px 0;
padding:0 12px}}
@media print{html{background:none}main{max-width:none;padding:0}section{break-inside:avoid}}
)css";

void appendVariables(std::string& sheet, std::uint32_t ReportColor::*theme)
{
    for (const ReportColor& color : kReportColors) {
        fmt::format_to(std::back_inserter(sheet), "--{}:#{:06X};", color.name, color.*theme);
    }
}

} // namespace

std::string reportStyleSheet()
{
    std::string sheet = ":root{color-scheme:light dark;";
    appendVariables(sheet, &ReportColor::light);
    sheet += "}\n@media screen and (prefers-color-scheme:dark){:root{";
    appendVariables(sheet, &ReportColor::dark);
    sheet += "}}";
    sheet += kRules;
    return sheet;
}

} // namespace mesh::simulator
