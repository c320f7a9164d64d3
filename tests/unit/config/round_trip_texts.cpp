#include "tests/unit/config/round_trip_texts.h"

// Apart from the test, because moc loses count of the braces in these.
namespace mesh::config {

const std::array<const char*, 7> kRoundTripTexts = {
    R"({"a":"","b":[],"c":{},"d":null,"e":[[]],"f":[{}],)"
    R"("g":[[1,[2]],{"h":{"i":[{"j":1}]}}]})",
    R"({"a":"true","b":"12","c":"1.5","d":"null","e":"~","f":"yes","g":"0x1f","h":"- a"})",
    R"({"a":"a: b","b":"a #b","c":"#a","d":" a",)"
    R"("e":"a ","f":"\u0027a\u0027","g":"\u0022","h":"a\u005cb"})",
    R"({"a":"x\ny\n","b":"x\ny","c":"\nx\n","d":"x\n\n",)"
    R"("e":" x\ny\n","f":"é\ny\n","g":"a\n\nb\n"})",
    R"({"true":1,"12":2,"a b":3,"":4,"a: b":5,"-":6,"[":7})",
    R"({"a":"\u0000\u0001\u007f\t\r","b":"\u0085\u2028\ufeff","c":"😀"})",
    R"({"a":[1,-2,0.5,1e+300,true,false,"4ms","2nd","01","1e5"]})"};

} // namespace mesh::config
