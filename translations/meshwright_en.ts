<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
    <context>
        <name>MainWindow</name>
        <message numerus="yes">
            <source>%n error(s)</source>
            <translation>
                <numerusform>%n error</numerusform>
                <numerusform>%n errors</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n warning(s)</source>
            <translation>
                <numerusform>%n warning</numerusform>
                <numerusform>%n warnings</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>Rehearsal</name>
        <message numerus="yes">
            <source>%n run(s)</source>
            <translation>
                <numerusform>%n run</numerusform>
                <numerusform>%n runs</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>and %n more</source>
            <translation>
                <numerusform>and %n more</numerusform>
                <numerusform>and %n more</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::bridge::MeshSession</name>
        <message numerus="yes">
            <source>%n event(s) dropped.</source>
            <translation>
                <numerusform>%n event dropped.</numerusform>
                <numerusform>%n events dropped.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n request(s) in the last second</source>
            <translation>
                <numerusform>%n request in the last second</numerusform>
                <numerusform>%n requests in the last second</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::bridge::RolloutSession</name>
        <message numerus="yes">
            <source>%n change(s)</source>
            <translation>
                <numerusform>%n change</numerusform>
                <numerusform>%n changes</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n field(s)</source>
            <translation>
                <numerusform>%n field</numerusform>
                <numerusform>%n fields</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n gateway(s)</source>
            <translation>
                <numerusform>%n gateway</numerusform>
                <numerusform>%n gateways</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n node(s)</source>
            <translation>
                <numerusform>%n node</numerusform>
                <numerusform>%n nodes</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n other(s)</source>
            <translation>
                <numerusform>%n other</numerusform>
                <numerusform>%n others</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n sidecar(s)</source>
            <translation>
                <numerusform>%n sidecar</numerusform>
                <numerusform>%n sidecars</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::charts::RunTimeline</name>
        <message numerus="yes">
            <source>%n clip(s)</source>
            <translation>
                <numerusform>%n clip</numerusform>
                <numerusform>%n clips</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n fault(s)</source>
            <translation>
                <numerusform>%n fault</numerusform>
                <numerusform>%n faults</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::forms::SchemaForm</name>
        <message numerus="yes">
            <source>%n in this list</source>
            <translation>
                <numerusform>%n in this list</numerusform>
                <numerusform>%n in this list</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::graph::ZonesPanel</name>
        <message numerus="yes">
            <source>%n instance(s)</source>
            <translation>
                <numerusform>%n instance</numerusform>
                <numerusform>%n instances</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::AlertsView</name>
        <message numerus="yes">
            <source>%n fire(s)</source>
            <translation>
                <numerusform>%n fire</numerusform>
                <numerusform>%n fires</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n rule(s)</source>
            <translation>
                <numerusform>%n rule</numerusform>
                <numerusform>%n rules</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::CurrentRollout</name>
        <message numerus="yes">
            <source>%n expected node(s), fixed when the push began      Acknowledged is not applied: the running hash is read back from every node</source>
            <translation>
                <numerusform>%n expected node, fixed when the push began      Acknowledged is not applied: the running hash is read back from every node</numerusform>
                <numerusform>%n expected nodes, fixed when the push began      Acknowledged is not applied: the running hash is read back from every node</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::EditPage</name>
        <message numerus="yes">
            <source>%n in this object</source>
            <translation>
                <numerusform>%n in this object</numerusform>
                <numerusform>%n in this object</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>used by %n service(s)</source>
            <translation>
                <numerusform>used by %n service</numerusform>
                <numerusform>used by %n services</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::FindField</name>
        <message numerus="yes">
            <source>%n more, type on</source>
            <translation>
                <numerusform>%n more, type on</numerusform>
                <numerusform>%n more, type on</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::FindingList</name>
        <message numerus="yes">
            <source>%n finding(s) were there before this change.</source>
            <translation>
                <numerusform>%n finding were there before this change.</numerusform>
                <numerusform>%n findings were there before this change.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n more finding(s) are not shown.</source>
            <translation>
                <numerusform>%n more finding are not shown.</numerusform>
                <numerusform>%n more findings are not shown.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n more; mode Findings lists all.</source>
            <translation>
                <numerusform>%n more; mode Findings lists all.</numerusform>
                <numerusform>%n more; mode Findings lists all.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::FindingsPage</name>
        <message numerus="yes">
            <source>%n event(s)</source>
            <translation>
                <numerusform>%n event</numerusform>
                <numerusform>%n events</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n problem(s)</source>
            <translation>
                <numerusform>%n problem</numerusform>
                <numerusform>%n problems</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::FirstRunPage</name>
        <message numerus="yes">
            <source>%n nodes</source>
            <translation>
                <numerusform>%n node</numerusform>
                <numerusform>%n nodes</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n services</source>
            <translation>
                <numerusform>%n service</numerusform>
                <numerusform>%n services</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::HistoryPage</name>
        <message numerus="yes">
            <source>%n revision(s) in this document</source>
            <translation>
                <numerusform>%n revision in this document</numerusform>
                <numerusform>%n revisions in this document</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::Inspector</name>
        <message numerus="yes">
            <source>%n services and gateways</source>
            <translation>
                <numerusform>%n service or gateway</numerusform>
                <numerusform>%n services and gateways</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Show %n</source>
            <translation>
                <numerusform>Show %n</numerusform>
                <numerusform>Show %n</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Show %n failed requests</source>
            <translation>
                <numerusform>Show %n failed request</numerusform>
                <numerusform>Show %n failed requests</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::NodesMap</name>
        <message numerus="yes">
            <source>%n node(s)</source>
            <translation>
                <numerusform>%n node</numerusform>
                <numerusform>%n nodes</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::NodesModel</name>
        <message numerus="yes">
            <source>%n instance(s)</source>
            <translation>
                <numerusform>%n instance</numerusform>
                <numerusform>%n instances</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n node(s)</source>
            <translation>
                <numerusform>%n node</numerusform>
                <numerusform>%n nodes</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::NodesPage</name>
        <message numerus="yes">
            <source>%n gateway(s)</source>
            <translation>
                <numerusform>%n gateway</numerusform>
                <numerusform>%n gateways</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n wait(s)</source>
            <translation>
                <numerusform>%n wait</numerusform>
                <numerusform>%n waits</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::ObjectTree</name>
        <message numerus="yes">
            <source>! %n warning(s)</source>
            <translation>
                <numerusform>! %n warning</numerusform>
                <numerusform>! %n warnings</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Filter %n objects</source>
            <translation>
                <numerusform>Filter %n object</numerusform>
                <numerusform>Filter %n objects</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>✎ %n changed</source>
            <translation>
                <numerusform>✎ %n changed</numerusform>
                <numerusform>✎ %n changed</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>✕ %n error(s)</source>
            <translation>
                <numerusform>✕ %n error</numerusform>
                <numerusform>✕ %n errors</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::RehearseBar</name>
        <message numerus="yes">
            <source>%n run(s)</source>
            <translation>
                <numerusform>%n run</numerusform>
                <numerusform>%n runs</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>seed %1 · %n run(s)</source>
            <translation>
                <numerusform>seed %1 · %n run</numerusform>
                <numerusform>seed %1 · %n runs</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::ReviewMerge</name>
        <message numerus="yes">
            <source>%n field(s) were changed by both; choose.</source>
            <translation>
                <numerusform>%n field were changed by both; choose.</numerusform>
                <numerusform>%n fields were changed by both; choose.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n more; they stay as they are here.</source>
            <translation>
                <numerusform>%n more; they stay as they are here.</numerusform>
                <numerusform>%n more; they stay as they are here.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::ReviewPage</name>
        <message numerus="yes">
            <source>%n error(s) found</source>
            <translation>
                <numerusform>%n error found</numerusform>
                <numerusform>%n errors found</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n group(s)</source>
            <translation>
                <numerusform>%n group</numerusform>
                <numerusform>%n groups</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n line(s)</source>
            <translation>
                <numerusform>%n line</numerusform>
                <numerusform>%n lines</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n more change(s) are not listed.</source>
            <translation>
                <numerusform>%n more change are not listed.</numerusform>
                <numerusform>%n more changes are not listed.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Sampled on %n node(s) and run through the same compiled router and policies the nodes use.</source>
            <translation>
                <numerusform>Sampled on %n node and run through the same compiled router and policies the nodes use.</numerusform>
                <numerusform>Sampled on %n nodes and run through the same compiled router and policies the nodes use.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::ReviewPlan</name>
        <message numerus="yes">
            <source>%n nodes are silent</source>
            <translation>
                <numerusform>%n node are silent</numerusform>
                <numerusform>%n nodes are silent</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::RouteAnswerView</name>
        <message numerus="yes">
            <source>%n more lost, further away.</source>
            <translation>
                <numerusform>%n more lost, further away.</numerusform>
                <numerusform>%n more lost, further away.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::TableView</name>
        <message numerus="yes">
            <source>%n new</source>
            <translation>
                <numerusform>%n new</numerusform>
                <numerusform>%n new</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::TapView</name>
        <message numerus="yes">
            <source>%n new</source>
            <translation>
                <numerusform>%n new</numerusform>
                <numerusform>%n new</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::TopologyPage</name>
        <message numerus="yes">
            <source>%n match(es)</source>
            <translation>
                <numerusform>%n match</numerusform>
                <numerusform>%n matches</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::VerdictPane</name>
        <message numerus="yes">
            <source>(and %n more)</source>
            <translation>
                <numerusform>(and %n more)</numerusform>
                <numerusform>(and %n more)</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::HonestyStrip</name>
        <message numerus="yes">
            <source>%n changes not pushed</source>
            <translation>
                <numerusform>%n change not pushed</numerusform>
                <numerusform>%n changes not pushed</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::Locator</name>
        <message numerus="yes">
            <source>%n more, type on</source>
            <translation>
                <numerusform>%n more, type on</numerusform>
                <numerusform>%n more, type on</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::MainWindow</name>
        <message numerus="yes">
            <source>%n error(s)</source>
            <translation>
                <numerusform>%n error</numerusform>
                <numerusform>%n errors</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n warning(s)</source>
            <translation>
                <numerusform>%n warning</numerusform>
                <numerusform>%n warnings</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::RailButton</name>
        <message numerus="yes">
            <source>%n findings</source>
            <translation>
                <numerusform>%n finding</numerusform>
                <numerusform>%n findings</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::TopBar</name>
        <message numerus="yes">
            <source>Review %n changes</source>
            <translation>
                <numerusform>Review %n change</numerusform>
                <numerusform>Review %n changes</numerusform>
            </translation>
        </message>
    </context>
</TS>
